import { IconPlayerPause } from '@tabler/icons-react';
import { useState } from 'react';
import { useSite } from '../../api/hooks';
import { useMay } from '../../api/session';
import { moment } from '../../app/format';
import { ReasonDialog } from '../../components/ReasonDialog';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { useNames, type Part } from './parts';

/** Why work stands still, and the one way on: a named person's release. */
export function Holds({ file, permit, done }: Part) {
  const { t, say } = useWords();
  const site = useSite();
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const { ask, busy, problem, clear } = useAct();
  const { roles, list } = useNames();
  const due = file.due.filter((one) => one.verb === 'permit.release');
  const named = due.flatMap((one) => one.people);
  const asked = due.flatMap((one) => one.roles);
  const releasers = [named.length ? list(named) : '', asked.length ? roles(asked) : ''].filter(Boolean);
  const mine = due.some((one) => one.mine);
  const release = async (reason: string) => {
    const answered = await ask('permit.release', { permit_id: permit.id, reason }, file.version);
    if (answered) setAsking(false);
    done();
  };
  return (
    <section className="work-holds" aria-label={t('permit.held')}>
      <ul>
        {permit.holds.map((hold) => (
          <li key={hold.id}>
            <IconPlayerPause size={26} aria-hidden />
            <div>
              <b>{say(hold.text)}</b>
              <span>
                {moment(hold.since_ms, site?.time_zone ?? 'UTC')} · {say(hold.source_name)} · {hold.code}
              </span>
              <span>{t('permit.needs', { what: hold.demands.map((one) => say(one)).join(t('list.comma')) })}</span>
            </div>
          </li>
        ))}
      </ul>
      {mine && may('permit.release') && (
        <button
          type="button"
          className="btn primary huge"
          onClick={() => {
            clear();
            setAsking(true);
          }}
        >
          {t('permit.release')}
        </button>
      )}
      {!mine && <p className="note">{releasers.length ? t('permit.release_by', { who: releasers.join(t('list.comma')) }) : t('permit.release_later')}</p>}
      <ReasonDialog
        open={asking}
        title={t('permit.release_title')}
        note={t('permit.release_note')}
        confirm={t('permit.release')}
        busy={busy}
        problem={problem}
        close={() => setAsking(false)}
        answer={(reason) => void release(reason)}
      />
    </section>
  );
}
