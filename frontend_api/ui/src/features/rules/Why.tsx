import { IconCircleCheck, IconCircleX, IconHelpCircle, IconRefresh } from '@tabler/icons-react';
import { useCallback, useEffect, useState } from 'react';
import { useSite } from '../../api/hooks';
import { get, Refusal } from '../../api/rest';
import type { ProblemView, RuleWhy, WhyInput, WhyLast, WhySubject, WhyTrigger } from '../../api/schema';
import { clock, moment } from '../../app/format';
import { Refused } from '../../components/Bits';
import { useWords } from '../../i18n';
import { Mode } from './parts';

/** What a rule would need to act now: asked of the hub when opened, and by the button. */
export function Why({ rule }: { rule: string }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <details className="rule-why" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('rules.why')}</summary>
      {open && <Answer rule={rule} />}
    </details>
  );
}

function Answer({ rule }: { rule: string }) {
  const { t, say } = useWords();
  const site = useSite();
  const [found, setFound] = useState<RuleWhy | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const ask = useCallback(() => {
    get<RuleWhy>(`/api/v1/rules/${rule}/why`).then(
      (one) => {
        setFound(one);
        setProblem(null);
      },
      (error: unknown) => setProblem(error instanceof Refusal ? error.problem : null),
    );
  }, [rule]);
  useEffect(ask, [ask]);
  const zone = site?.time_zone ?? 'UTC';
  return (
    <div className="why-answer">
      <Refused problem={problem} />
      {!found && !problem && <div className="skeleton" style={{ height: 120 }} aria-busy="true" />}
      {found && (
        <>
          <p className="note">
            {t('rules.why_at', { time: clock(found.at_ms, zone) })} · {say(found.on_unknown)}
          </p>
          {found.triggers.map((one, number) => (
            <Trigger key={number} told={one} number={number + 1} />
          ))}
          <ul className="why-last">
            <Last name={t('rules.why_last')} told={found.last_run} zone={zone} />
            <Last name={t('rules.why_skip')} told={found.last_skip} zone={zone} />
          </ul>
        </>
      )}
      <div className="acts">
        <button type="button" className="btn" onClick={ask}>
          <IconRefresh size={20} aria-hidden />
          {t('rules.why_again')}
        </button>
      </div>
    </div>
  );
}

function Last({ name, told, zone }: { name: string; told: WhyLast | null; zone: string }) {
  const { t, say } = useWords();
  return (
    <li>
      <b>{name}</b> {told ? `${moment(told.at_ms, zone)} · ${say(told.subject)} · ${say(told.what)}` : t('rules.never')}
    </li>
  );
}

function Trigger({ told, number }: { told: WhyTrigger; number: number }) {
  const { t, say } = useWords();
  return (
    <section className="why-trigger" aria-label={say(told.names)}>
      <h4>
        {number}. {say(told.names)}
      </h4>
      {told.missing.length > 0 && (
        <p className="note bad">{t('rules.why_missing', { zones: told.missing.map(say).join(t('list.comma')) })}</p>
      )}
      {told.subjects.map((one, at) => (
        <Subject key={at} told={one} />
      ))}
      {told.more > 0 && <p className="note">{t('rules.why_more', { count: told.more })}</p>}
    </section>
  );
}

function Subject({ told }: { told: WhySubject }) {
  const { t, say } = useWords();
  return (
    <article className={`why-subject ${told.truth.toLowerCase()}`}>
      <header>
        <Truth truth={told.truth} />
        <b>{say(told.names)}</b>
        {told.mode && told.mode !== 'enforce' && <Mode mode={told.mode} />}
      </header>
      {told.needs.length > 0 && (
        <ul className="why-needs">
          {told.needs.map((need) => (
            <li key={need.en}>{say(need)}</li>
          ))}
        </ul>
      )}
      {told.alarms.length > 0 && <p className="note">{told.alarms.map(say).join(t('list.comma'))}</p>}
      {told.parts.map((part) => (
        <p key={part.text} className="why-part">
          <Truth truth={part.truth} />
          <code>{part.text}</code>
        </p>
      ))}
      {told.inputs.length > 0 && (
        <ul className="why-inputs" aria-label={t('rules.why_inputs')}>
          {told.inputs.map((one, at) => (
            <Input key={at} told={one} />
          ))}
        </ul>
      )}
      {told.limit !== null && <p className="note">{t('rules.why_limit', { limit: told.limit })}</p>}
    </article>
  );
}

function Input({ told }: { told: WhyInput }) {
  const { t, say } = useWords();
  return (
    <li className={told.quality === 'good' ? '' : 'bad'}>
      <span>{say(told.names)}</span>
      <b>
        {told.value} {told.unit}
      </b>
      <i>{t(`quality.${told.quality}`)}</i>
      <i>{told.age_s === null ? t('rules.why_no_age') : t('rules.why_age', { age: told.age_s.toFixed(1) })}</i>
    </li>
  );
}

const SIGNS = { TRUE: IconCircleCheck, FALSE: IconCircleX, UNKNOWN: IconHelpCircle };

function Truth({ truth }: { truth: string }) {
  const { t } = useWords();
  const Icon = SIGNS[truth as keyof typeof SIGNS] ?? IconHelpCircle;
  return (
    <span className={`truth ${truth.toLowerCase()}`}>
      <Icon size={20} aria-hidden />
      {t(`rules.truth.${truth.toLowerCase()}`)}
    </span>
  );
}
