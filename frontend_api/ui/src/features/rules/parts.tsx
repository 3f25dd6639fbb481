import { IconAlertTriangle, IconCertificate, IconCircleCheck, IconCircleX, IconEye, IconHeartHandshake, IconPlayerPause, IconShieldCheck } from '@tabler/icons-react';
import { useCallback, useEffect, useState } from 'react';
import { get, Refusal } from '../../api/rest';
import type { LineView, ProblemView } from '../../api/schema';
import { store } from '../../api/store';
import { useWords } from '../../i18n';

const WATCHED = /^(config|rule|run)\./;

/** Read something of the rules, and again when the journal tells of them. */
export function useRules<T>(path: string): { found: T | null; problem: ProblemView | null; again: () => void } {
  const [found, setFound] = useState<T | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const load = useCallback(() => {
    get<T>(path).then(
      (one) => {
        setFound(one);
        setProblem(null);
      },
      (error: unknown) => setProblem(error instanceof Refusal ? error.problem : null),
    );
  }, [path]);
  useEffect(() => {
    load();
    let seen = store.seq;
    return store.on('events', () => {
      const fresh = store.events.filter((event) => event.seq > seen);
      seen = store.events[0]?.seq ?? seen;
      if (fresh.some((event) => WATCHED.test(event.type))) load();
    });
  }, [load]);
  return { found, problem, again: load };
}

export function Mode({ mode }: { mode: string }) {
  const { t } = useWords();
  const kind = mode === 'enforce' ? 'good' : mode === 'off' ? 'bad' : 'warn';
  const Icon = mode === 'enforce' ? IconShieldCheck : mode === 'off' ? IconPlayerPause : IconEye;
  return (
    <span className={`tag ${kind}`}>
      <Icon size={18} aria-hidden />
      {t(`rules.mode.${mode}`)}
    </span>
  );
}

/** Who signed a blueprint; an unsigned one is shown, never hidden. */
export function Signer({ signer }: { signer: string }) {
  const { t } = useWords();
  if (signer === '') {
    return (
      <span className="tag warn">
        <IconAlertTriangle size={18} aria-hidden />
        {t('rules.unsigned')}
      </span>
    );
  }
  return (
    <span className="tag">
      <IconCertificate size={18} aria-hidden />
      {signer === 'safehold' ? t('rules.shipped') : t('rules.signed', { signer })}
    </span>
  );
}

export function LifeSafety() {
  const { t } = useWords();
  return (
    <span className="tag">
      <IconHeartHandshake size={18} aria-hidden />
      {t('rules.life_safety')}
    </span>
  );
}

/** A difference, line by line; signs and words tell it, not colour alone. */
export function Diff({ lines }: { lines: LineView[] }) {
  const { t, say } = useWords();
  return (
    <ul className="diff">
      {lines.map((line, number) => {
        const kind = line.sign === '+' ? 'new' : line.sign === '-' ? 'gone' : '';
        return (
          <li key={number} className={kind}>
            <b aria-label={kind ? t(`rules.line.${kind}`) : undefined} role={kind ? 'img' : undefined}>
              {line.sign === '-' ? '−' : line.sign}
            </b>
            <span>{say(line.text)}</span>
          </li>
        );
      })}
    </ul>
  );
}

export function Check({ good, children }: { good: boolean; children: React.ReactNode }) {
  const { t } = useWords();
  const Icon = good ? IconCircleCheck : IconCircleX;
  return (
    <li>
      <Icon size={22} className={good ? 'good' : 'bad'} aria-label={t(good ? 'rules.good' : 'rules.bad')} role="img" />
      <span>{children}</span>
    </li>
  );
}

const STANDING: Record<string, string> = { failed: 'bad', rejected: 'bad', outdated: 'warn', checked: 'warn', submitted: 'warn', approved: 'good', armed: 'good' };

export function Standing({ standing }: { standing: string }) {
  const { t } = useWords();
  return <span className={`tag ${STANDING[standing] ?? ''}`}>{t(`rules.standing.${standing}`)}</span>;
}
