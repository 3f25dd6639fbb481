import { useState } from 'react';
import { useLocation } from 'wouter';
import { useMay } from '../../api/session';
import { ReasonDialog } from '../../components/ReasonDialog';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Fold, type Part } from './parts';

const PREPARING = ['booked', 'applied', 'analysed', 'approved', 'briefed'];
const RUNNING = ['active', 'held', 'verifying'];

/** Way of breaking off → the statuses from which the hub lets it be taken. */
const WAYS = {
  'permit.hold': RUNNING,
  'permit.reject': PREPARING,
  'permit.withdraw': [...PREPARING, ...RUNNING],
  'permit.supersede': [...PREPARING, ...RUNNING],
  'permit.cancel': [...PREPARING, ...RUNNING, 'completed'],
} as const;
type Way = keyof typeof WAYS;

/** Stop it, send it back, or end it: each with a reason in one's own words. */
export function EndPart({ file, done }: Part) {
  const { t } = useWords();
  const may = useMay();
  const [, go] = useLocation();
  const [asking, setAsking] = useState<Way | null>(null);
  const { ask, busy, problem, clear } = useAct();
  const ways = (Object.keys(WAYS) as Way[]).filter((way) => (WAYS[way] as readonly string[]).includes(file.status) && may(way));
  const answer = async (reason: string) => {
    if (!asking) return;
    // Whoever stops work stops it as it is: no version may stand in the way.
    const version = asking === 'permit.hold' || asking === 'permit.withdraw' ? undefined : file.version;
    const answered = await ask(asking, { permit_id: file.id, reason }, version);
    done();
    if (!answered) return;
    if (asking === 'permit.supersede' && answered.permit_id) go(`/permits/${String(answered.permit_id)}`);
    setAsking(null);
  };
  const begin = (way: Way) => {
    clear();
    setAsking(way);
  };
  if (!ways.length) return null;
  const rest = ways.filter((way) => way !== 'permit.hold');
  return (
    <>
      {ways.includes('permit.hold') && (
        <button type="button" className="btn stop huge" onClick={() => begin('permit.hold')}>
          {t('end.permit.hold')}
        </button>
      )}
      {rest.length > 0 && (
        <Fold title={t('end.title')}>
          <div className="stack">
            {rest.map((way) => (
              <button key={way} type="button" className="btn warn huge" onClick={() => begin(way)}>
                {t(`end.${way}`)}
              </button>
            ))}
          </div>
        </Fold>
      )}
      <ReasonDialog
        open={asking !== null}
        title={t(`end.${asking ?? 'permit.hold'}`)}
        note={t(`end.${asking ?? 'permit.hold'}_note`)}
        confirm={t(`end.${asking ?? 'permit.hold'}`)}
        warn
        busy={busy}
        problem={problem}
        close={() => setAsking(null)}
        answer={(reason) => void answer(reason)}
      />
    </>
  );
}
