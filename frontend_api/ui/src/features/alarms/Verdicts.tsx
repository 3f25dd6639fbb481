import { IconHelp, IconThumbDown, IconThumbUp } from '@tabler/icons-react';
import { useSite } from '../../api/hooks';
import type { AlarmView } from '../../api/schema';
import { useMay } from '../../api/session';
import { moment } from '../../app/format';
import { Card, Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

const WORDS = [
  ['true', IconThumbUp],
  ['nuisance', IconThumbDown],
  ['unsure', IconHelp],
] as const;

/** One tap says what an alarm was worth; it moves figures and nothing else. */
export function Verdict({ alarm }: { alarm: AlarmView }) {
  const { t } = useWords();
  const may = useMay();
  const { ask, busy, problem } = useAct();
  if (!may('alarm.judge')) return null;
  return (
    <>
      <div className="choice verdict" role="group" aria-label={t('verdict.ask')}>
        {WORDS.map(([word, Icon]) => (
          <button key={word} type="button" className="btn" disabled={busy} aria-pressed={alarm.verdict === word} onClick={() => void ask('alarm.judge', { alarm_id: alarm.id, verdict: word })}>
            <Icon size={18} aria-hidden />
            {t(`verdict.${word}`)}
          </button>
        ))}
      </div>
      <Refused problem={problem} />
    </>
  );
}

/** The last closed alarms on which nobody has given a verdict. */
export function Verdicts({ alarms }: { alarms: AlarmView[] }) {
  const { t, say } = useWords();
  const site = useSite();
  if (!alarms.length) return null;
  return (
    <Card title={t('verdict.title')} note={t('verdict.note')}>
      <ul className="judging">
        {alarms.map((alarm) => (
          <li key={alarm.id}>
            <div>
              <b>{say(alarm.title)}</b>
              <p className="quiet">
                {moment(alarm.raised_ms, site?.time_zone ?? 'UTC')} · {say(alarm.source_name)}
              </p>
            </div>
            <Verdict alarm={alarm} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
