import { IconAlertTriangle, IconCircleCheck, IconQuestionMark } from '@tabler/icons-react';
import { useState } from 'react';
import type { FactView, OpenView } from '../../api/schema';
import { useMay } from '../../api/session';
import { figure } from '../../app/format';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Ask, type Answers } from './Ask';
import type { Part } from './parts';

const STATED = ['applied', 'analysed', 'approved', 'briefed', 'active', 'held', 'verifying', 'completed', 'expired'];

/** Where the signer is, is only known at the moment of the signature. */
const isOfSigning = (open: OpenView) => open.facts.length > 0 && open.facts.every((fact) => fact.fact === 'approver_on_site');

/** What stands against the next step: to be answered here, or to be mended first. */
export function OpenPart(part: Part) {
  const { t } = useWords();
  const { file } = part;
  const may = useMay();
  const asks = file.questions.length > 0 && may('permit.declare') && STATED.includes(file.status);
  if (file.status === 'booked') return null;
  const open = file.open.filter((one) => !isOfSigning(one));
  const later = file.open.length > open.length && <p className="note">{t('open.at_signing')}</p>;
  if (!open.length && later) return later;
  if (!open.length && file.status === 'held') return <p className="note">{t('open.none_held')}</p>;
  if (!open.length) {
    return (
      <p className="all-true">
        <IconCircleCheck size={26} aria-hidden />
        {t(file.started_ms ? 'open.none_running' : 'open.none')}
      </p>
    );
  }
  return (
    <>
      {asks && <Questions {...part} />}
      <section className="card">
        <header>
          <h2>{t('open.title', { count: open.length })}</h2>
        </header>
        <ul className="open">
          {open.map((one) => (
            <One key={one.name} open={one} />
          ))}
        </ul>
        {later}
      </section>
    </>
  );
}

function One({ open }: { open: OpenView }) {
  const { t, say } = useWords();
  const Icon = open.truth === 'false' ? IconAlertTriangle : IconQuestionMark;
  return (
    <li className={open.truth}>
      <Icon size={24} aria-label={t(`truth.${open.truth}`)} />
      <div>
        <b>{say(open.names)}</b>
        <small>
          {[open.clause, open.aq && `AQ ${open.aq}`, t(`action.${open.action}`)].filter(Boolean).join(' · ')}
        </small>
        <ul>
          {open.facts.map((fact) => (
            <Told key={fact.fact} fact={fact} />
          ))}
        </ul>
      </div>
    </li>
  );
}

export function Told({ fact }: { fact: Pick<FactView, 'names' | 'value' | 'unit'> }) {
  const { say } = useWords();
  const value = useValue(fact.value, fact.unit);
  return (
    <li>
      {say(fact.names)}: <b className={fact.value === null ? 'unknown' : ''}>{value}</b>
    </li>
  );
}

export function useValue(value: unknown, unit = ''): string {
  const { t } = useWords();
  if (value === null || value === undefined) return t('ask.unknown');
  if (typeof value === 'boolean') return t(value ? 'ask.yes' : 'ask.no');
  return typeof value === 'number' ? `${Number.isInteger(value) ? value : figure(value)} ${unit}`.trim() : String(value);
}

function Questions({ file, done }: Part) {
  const { t } = useWords();
  const [answers, setAnswers] = useState<Answers>({});
  const { ask, busy, problem } = useAct();
  const asked = new Set(file.questions.map((one) => one.fact));
  const facts = Object.fromEntries(Object.entries(answers).filter(([name]) => asked.has(name)));
  const given = Object.keys(facts).length;
  const send = async () => {
    const said = await ask('permit.declare', { permit_id: file.id, facts });
    if (said) setAnswers({});
    done();
  };
  return (
    <section className="card asks">
      <header>
        <h2>{t('ask.title')}</h2>
        <small>{t('ask.note')}</small>
      </header>
      {file.questions.map((question) => (
        <Ask
          key={question.fact}
          question={question}
          value={answers[question.fact]}
          set={(value) => {
            const { [question.fact]: _, ...rest } = answers;
            setAnswers(value === undefined ? rest : { ...rest, [question.fact]: value });
          }}
        />
      ))}
      <Refused problem={problem} />
      <button type="button" className="btn primary huge" disabled={busy || !given} onClick={() => void send()}>
        {t('ask.send', { given, all: file.questions.length })}
      </button>
    </section>
  );
}
