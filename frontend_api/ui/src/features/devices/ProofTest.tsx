import { IconAlertTriangle, IconCircleCheck, IconClock, IconEar, IconPlayerPlay, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useBeat, useSection, useSite } from '../../api/hooks';
import type { EntityView, ProofView } from '../../api/schema';
import { useMay } from '../../api/session';
import { store } from '../../api/store';
import { moment } from '../../app/format';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import './devices.css';

/** What the hub ends by itself after a test; all else stays until a person lets it end. */
const SHOWN = ['siren', 'strobe', 'voice', 'recorder'];
/** The last tenth of an interval is a warning, as the hub's own alarms have it. */
const SOON = 0.1;
const HOUR_MS = 3_600_000;

export type ProofStanding = 'none' | 'proven' | 'due' | 'overdue' | 'failed';

/** Say how an output's proof stands, as the hub judges it. */
export function proofOf(proof: ProofView): ProofStanding {
  if (proof.failed_ms) return 'failed';
  if (!proof.every_h) return 'none';
  const left = proof.due_ms - store.now();
  if (left <= 0) return 'overdue';
  return left <= proof.every_h * HOUR_MS * SOON ? 'due' : 'proven';
}

const TAG = { none: '', proven: 'good', due: 'warn', overdue: 'bad', failed: 'bad' };
const ICON = { none: IconClock, proven: IconCircleCheck, due: IconClock, overdue: IconAlertTriangle, failed: IconX };

/** One output's proof test: how it stands, start it, and say what it did. */
export function ProofTest({ entity }: { entity: EntityView }) {
  const { t } = useWords();
  const may = useMay();
  const [sure, setSure] = useState(false);
  const { ask, busy, problem } = useAct();
  useBeat(1000);
  if (!entity.proof) return null;
  const body = { entity_id: entity.id };
  const running = entity.proof.answer_until_ms > store.now();
  const begin = () => void ask('output.proof_test', body).then(() => setSure(false));
  return (
    <div className="proof-test" role="group" aria-label={t('outputs.proof_of', { name: entity.name })}>
      <Stands proof={entity.proof} />
      {running && may('output.proof_passed') && <Answer entity={entity} />}
      {running && !may('output.proof_passed') && <p className="note">{t('outputs.test_runs')}</p>}
      <Refused problem={problem} />
      {!running && may('output.proof_test') && !sure && (
        <button type="button" className="btn" onClick={() => setSure(true)}>
          <IconPlayerPlay size={20} aria-hidden />
          {t('outputs.test_now')}
        </button>
      )}
      {!running && sure && (
        <>
          <p>{t(SHOWN.includes(entity.output) ? 'outputs.test_shown' : 'outputs.test_stays')}</p>
          <div className="acts">
            <button type="button" className="btn warn" disabled={busy} onClick={begin}>
              {t('outputs.test_begin')}
            </button>
            <button type="button" className="btn" onClick={() => setSure(false)}>
              {t('dialog.cancel')}
            </button>
          </div>
        </>
      )}
    </div>
  );
}

function Stands({ proof }: { proof: ProofView }) {
  const { t } = useWords();
  const site = useSite();
  const people = useSection('people');
  const standing = proofOf(proof);
  const Icon = ICON[standing];
  const at = (ms: number) => moment(ms, site?.time_zone ?? 'UTC');
  return (
    <p className="proof-stands">
      <span className={`tag ${TAG[standing]}`}>
        <Icon size={18} aria-hidden />
        {t(`outputs.proof.${standing}`)}
      </span>
      {standing === 'failed' && (
        <span>
          {t('outputs.failed_at', { at: at(proof.failed_ms) })} {t(`outputs.why.${proof.why}`, { defaultValue: proof.why })}
        </span>
      )}
      <span>{standing === 'none' && !proof.proven_ms ? '' : proof.proven_ms ? t('outputs.proven_at', { at: at(proof.proven_ms), who: people[proof.by_id]?.name ?? proof.by_id }) : t('outputs.never_proved')}</span>
      {proof.due_ms > 0 && <span>{t('outputs.due_by', { at: at(proof.due_ms) })}</span>}
    </p>
  );
}

/** The person's half of the evidence: a relay that clicks proves no horn. */
function Answer({ entity }: { entity: EntityView }) {
  const { t } = useWords();
  const { ask, busy, problem } = useAct();
  const body = { entity_id: entity.id };
  const answered = entity.proof?.answered ?? false;
  return (
    <>
      <p role="status">{t(answered ? 'outputs.test_answered' : 'outputs.test_waits')}</p>
      <Refused problem={problem} />
      <div className="acts big-pair">
        <button type="button" className="btn primary" disabled={busy || !answered} onClick={() => void ask('output.proof_passed', body)}>
          <IconEar size={22} aria-hidden />
          {t('outputs.heard')}
        </button>
        <button type="button" className="btn warn" disabled={busy} onClick={() => void ask('output.proof_failed', { ...body, reason: '' })}>
          <IconX size={22} aria-hidden />
          {t('outputs.not_heard')}
        </button>
      </div>
    </>
  );
}
