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

const AT_WORK: readonly string[] = ['active', 'verifying'];

/** While work goes on, anybody's way to stop it stands right below the headline. */
export function StopPart(part: Part) {
  return AT_WORK.includes(part.file.status) ? <Ways {...part} only="permit.hold" /> : null;
}

/** Send it back, or end it: each with a reason in one's own words. */
export function EndPart(part: Part) {
  return <Ways {...part} />;
}

function Ways({ file, done, only }: Part & { only?: Way }) {
  const { t } = useWords();
  const may = useMay();
  const [, go] = useLocation();
  const [asking, setAsking] = useState<Way | null>(null);
  const { ask, busy, problem, clear } = useAct();
  const ways = (Object.keys(WAYS) as Way[]).filter((way) => (WAYS[way] as readonly string[]).includes(file.status) && may(way)).filter((way) => (only ? way === only : way !== 'permit.hold' || !AT_WORK.includes(file.status)));
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
  return (
    <>
      {only && (
        <button type="button" className="btn stop huge" onClick={() => begin(only)}>
          {t(`end.${only}`)}
        </button>
      )}
      {!only && (
        <Fold title={t('end.title')}>
          <div className="stack">
            {ways.map((way) => (
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
