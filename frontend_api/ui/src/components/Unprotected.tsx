import { IconAlertOctagon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useAlarms } from '../api/hooks';
import { useWords } from '../i18n';
import './unprotected.css';

/** What must not be overlooked: a box that says it by sign and word, not by colour. */
export function Warned({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="unprotected" aria-label={title}>
      <h3>
        <IconAlertOctagon size={22} aria-hidden />
        {title}
      </h3>
      <ul>{children}</ul>
    </section>
  );
}

/** Zones where a life-safety rule only watches: the banner ends with a tap, this does not. */
export function Unprotected() {
  const { t, say } = useWords();
  const open = Object.values(useAlarms()).filter((one) => one.kind === 'fault.unprotected' && one.active && one.acknowledged);
  if (!open.length) return null;
  return (
    <Warned title={t('rules.unprotected')}>
      {open.map((one) => (
        <li key={one.id}>
          {say(one.source_name)}: {say(one.detail) || say(one.title)}
        </li>
      ))}
    </Warned>
  );
}
