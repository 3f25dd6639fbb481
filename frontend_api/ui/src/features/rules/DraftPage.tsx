import { IconArrowLeft, IconCheck, IconPlayerPlay, IconRefresh, IconSend, IconTrash, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useDevice } from '../../api/device';
import { useSite } from '../../api/hooks';
import { post, Refusal, remove } from '../../api/rest';
import type { DraftView, ProblemView, RuleBook } from '../../api/schema';
import { useSession } from '../../api/session';
import { moment } from '../../app/format';
import { Card, Refused } from '../../components/Bits';
import { ReasonDialog } from '../../components/ReasonDialog';
import { Warned } from '../../components/Unprotected';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Check, Diff, LifeSafety, Signer, Standing, useRules } from './parts';

const STEPS = ['checked', 'submitted', 'approved', 'armed'];

/** One draft: its checks, what it would change, and whose word it still needs. */
export function DraftPage({ id }: { id: string }) {
  const { t, say } = useWords();
  const site = useSite();
  const [, go] = useLocation();
  const { found: draft, problem, again } = useRules<DraftView>(`/api/v1/drafts/${id}`);
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{draft ? `${t(`rules.kind.${draft.kind}`)} ${draft.rule}` : t('rules.draft')}</h2>
        <button type="button" className="btn" onClick={() => go('/rules')}>
          <IconArrowLeft size={20} aria-hidden />
          {t('rules.back')}
        </button>
      </div>
      <Refused problem={problem} />
      {!draft && !problem && <div className="skeleton" style={{ height: 240 }} aria-busy="true" />}
      {draft && (
        <>
          <p className="acts" style={{ marginTop: 0 }}>
            <Standing standing={draft.standing} />
            {draft.blueprint && (
              <span className="tag">
                {draft.blueprint} {draft.was_version && draft.was_version !== draft.version && `${draft.was_version} → `}
                {draft.version}
              </span>
            )}
            {draft.blueprint && <Signer signer={draft.signer} />}
            {draft.life_safety && <LifeSafety />}
            <span className="note" style={{ marginTop: 0 }}>
              {say(draft.by)} · {moment(draft.made_ms, site?.time_zone ?? 'UTC')}
            </span>
          </p>
          <Path draft={draft} />
          {draft.note && <p>“{draft.note}”</p>}
          <Acts draft={draft} again={again} />
          <div className="cards">
            <Checks draft={draft} />
            <Change draft={draft} />
          </div>
        </>
      )}
    </div>
  );
}

function Path({ draft }: { draft: DraftView }) {
  const { t } = useWords();
  const at = STEPS.indexOf(draft.standing);
  return (
    <ol className="steps-line" aria-label={t('rules.path')}>
      {STEPS.map((step, number) => (
        <li key={step} className={number <= at ? 'done' : number === at + 1 ? 'next-step' : ''} aria-current={number === at + 1 ? 'step' : undefined}>
          {number <= at ? <IconCheck size={20} aria-hidden /> : <span aria-hidden>{number + 1}.</span>}
          {t(`rules.step.${step}`)}
        </li>
      ))}
    </ol>
  );
}

function Checks({ draft }: { draft: DraftView }) {
  const { t, say } = useWords();
  return (
    <Card title={t('rules.checks')}>
      <ul className="checks">
        {draft.problems.map((one) => (
          <Check key={one.en} good={false}>
            {say(one)}
          </Check>
        ))}
        {draft.tests.map((test) => (
          <Check key={test.names.en} good={!test.problems.length}>
            {say(test.names)}
            {test.problems.map((one) => (
              <small key={one.en}>{say(one)}</small>
            ))}
          </Check>
        ))}
        {draft.looks.map((one, number) => (
          <Check key={number} good={one.devices.length > 0}>
            {say(one.zone) || t('rules.everywhere')} · {say(one.names)}
            <small>{one.devices.join(t('list.comma')) || t('rules.no_device')}</small>
          </Check>
        ))}
        {!draft.problems.length && !draft.tests.length && <Check good>{t('rules.compiled')}</Check>}
      </ul>
    </Card>
  );
}

function Change({ draft }: { draft: DraftView }) {
  const { t, say } = useWords();
  const changed = draft.diff.some((line) => line.sign);
  return (
    <Card title={t('rules.diff')} className="wide-card">
      {draft.looser.length > 0 && (
        <Warned title={t('rules.looser')}>
          {draft.looser.map((one) => (
            <li key={one.en}>{say(one)}</li>
          ))}
        </Warned>
      )}
      {draft.two && <p className="note">{t('rules.two_help')}</p>}
      {changed ? <Diff lines={draft.diff} /> : <p className="note">{t('rules.same')}</p>}
    </Card>
  );
}

function Acts({ draft, again }: { draft: DraftView; again: () => void }) {
  const { t, say } = useWords();
  const session = useSession();
  const device = useDevice();
  const [, go] = useLocation();
  const { ask, busy, problem } = useAct();
  const [redo, setRedo] = useState<{ busy: boolean; problem: ProblemView | null }>({ busy: false, problem: null });
  const [sending, setSending] = useState(false);
  const { found: book } = useRules<RuleBook>('/api/v1/rulebook');
  const mine = draft.submitted_by === session.person_id;
  const hash = draft.hash;
  const done = (result: unknown) => {
    if (result) again();
  };
  const anew = async () => {
    setRedo({ busy: true, problem: null });
    try {
      const { kind, rule, blueprint, mode, note } = draft;
      const given = kind === 'rollback' || kind === 'remove' ? null : draft.given;
      const made = await post<DraftView>('/api/v1/drafts', { kind, rule, blueprint, mode, note, given, instead: draft.id });
      go(`/rules/drafts/${made.id}`);
      setRedo({ busy: false, problem: null });
    } catch (error) {
      setRedo({ busy: false, problem: error instanceof Refusal ? error.problem : null });
    }
  };
  const drop = async () => {
    await remove(`/api/v1/drafts/${draft.id}`).then(() => go('/rules'), () => again());
  };
  const open = draft.standing === 'checked' || draft.standing === 'rejected';
  const alone = open && device.keys.length === 0;
  return (
    <section className="actbox" aria-label={t('rules.acts')}>
      {draft.answered && (
        <p>
          {t(draft.approved_by ? 'rules.approved_by' : 'rules.rejected_by', { person: say(draft.answered) })}
          {draft.answer && ` “${draft.answer}”`}
          {draft.approved_by && draft.two && !draft.signed && device.keys.length > 0 && <b> {t('rules.not_signed')}</b>}
        </p>
      )}
      <div className="acts">
        {open && book?.may_draft && (
          <button type="button" className="btn primary" disabled={busy} onClick={() => void ask('config.submit', { hash, base: draft.base, note: draft.note }).then(done)}>
            <IconSend size={20} aria-hidden />
            {t('rules.submit')}
          </button>
        )}
        {draft.standing === 'submitted' && !mine && book?.may_review && (
          <button type="button" className="btn primary" disabled={busy} onClick={() => void ask('config.approve', { hash }).then(done)}>
            <IconCheck size={20} aria-hidden />
            {t('rules.approve')}
          </button>
        )}
        {draft.standing === 'submitted' && mine && <p className="note">{t('rules.waits')}</p>}
        {(draft.standing === 'submitted' || draft.standing === 'approved') && (book?.may_review || mine) && (
          <button type="button" className="btn warn" disabled={busy} onClick={() => setSending(true)}>
            <IconX size={20} aria-hidden />
            {t(mine ? 'rules.withdraw' : 'rules.reject')}
          </button>
        )}
        {(draft.standing === 'approved' || alone) && book?.may_review && (
          <button type="button" className={alone ? 'btn' : 'btn primary'} disabled={busy} onClick={() => void ask('config.arm', { hash }).then(done)}>
            <IconPlayerPlay size={20} aria-hidden />
            {t('rules.arm')}
          </button>
        )}
        {draft.kind !== 'files' && ['failed', 'outdated', 'rejected'].includes(draft.standing) && book?.may_draft && (
          <button type="button" className="btn" disabled={redo.busy} onClick={() => void anew()}>
            <IconRefresh size={20} aria-hidden />
            {t(redo.busy ? 'rules.checking' : 'rules.again')}
          </button>
        )}
        {['failed', 'outdated', 'rejected', 'checked', 'armed'].includes(draft.standing) && book?.may_draft && (
          <button type="button" className="btn" onClick={() => void drop()}>
            <IconTrash size={20} aria-hidden />
            {t('rules.drop')}
          </button>
        )}
      </div>
      <Refused problem={problem ?? redo.problem} />
      <ReasonDialog
        open={sending}
        title={t(mine ? 'rules.withdraw' : 'rules.reject')}
        note={t('rules.reject_note')}
        confirm={t(mine ? 'rules.withdraw' : 'rules.reject')}
        warn
        busy={busy}
        problem={problem}
        close={() => setSending(false)}
        answer={(note) =>
          void ask('config.reject', { hash, note }).then((result) => {
            if (result) setSending(false);
            done(result);
          })
        }
      />
    </section>
  );
}
