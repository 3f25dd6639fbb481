import { IconAlertTriangle, IconLungs } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ProblemView, Text } from '../api/schema';
import { Link as Anchor } from 'wouter';
import { useDevice } from '../api/device';
import { useWords } from '../i18n';

export function Card(props: {
  title: ReactNode;
  note?: ReactNode;
  extra?: ReactNode;
  className?: string;
  children: ReactNode;
}) {
  return (
    <section className={`card ${props.className ?? ''}`}>
      <header>
        <h2>{props.title}</h2>
        {props.note && <small>{props.note}</small>}
        {props.extra && <span className="extra">{props.extra}</span>}
      </header>
      {props.children}
    </section>
  );
}

export function Refused({ problem }: { problem: ProblemView | null }) {
  const { say, t } = useWords();
  if (!problem) return null;
  return (
    <p className="refused" role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <span>
        <b>{t('act.refused')}</b> {say(problem.sentences)}
        <Mend code={problem.code} />
      </span>
    </p>
  );
}

/** What to do about a signature that is missing or counts for nothing. */
const MENDS = new Set([
  'signature.required',
  'signature.key_unknown',
  'signature.key_revoked',
  'signature.key_pending',
  'signature.own_key_needed',
  'signature.other_person',
]);

function Mend({ code }: { code: string }) {
  const { t } = useWords();
  const { standing } = useDevice();
  if (code === 'signature.stale') return <> {t('mend.clock')}</>;
  if (!MENDS.has(code)) return null;
  if (standing === 'insecure' || standing === 'broken') return <> {t('mend.insecure')}</>;
  if (standing === 'pending') return <> {t('mend.pending')}</>;
  return (
    <>
      {' '}
      <Anchor href="/settings" className="textlink">
        {t('mend.enrol')}
      </Anchor>
    </>
  );
}

export function Empty({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <div className="empty">
      {icon}
      <p>{children}</p>
    </div>
  );
}

/** TEST and DRILL are marked everywhere. */
export function Mark({ mark }: { mark: string }) {
  const { t } = useWords();
  if (!mark) return null;
  return <span className="mark">{mark === 'DRILL' ? t('mark.drill') : t('mark.test')}</span>;
}

/** What must be read before anything else: nobody goes in after them unprotected. */
export function FirstWords({ said }: { said: Text | null }) {
  const { say } = useWords();
  if (!said) return null;
  return (
    <p className="first-words">
      <IconLungs size={28} aria-hidden />
      {say(said)}
    </p>
  );
}
