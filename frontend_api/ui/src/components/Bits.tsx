import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ProblemView } from '../api/schema';
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
      </span>
    </p>
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
