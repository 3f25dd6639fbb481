import { Select, TextInput } from '@mantine/core';
import { IconArrowLeft, IconCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { post, Refusal } from '../../api/rest';
import type { Blueprints, Card, DraftView, InputCard, ProblemView, RuleBook, RuleCard } from '../../api/schema';
import { Refused } from '../../components/Bits';
import { useWords } from '../../i18n';
import { InputField, type Given } from './InputField';
import { LifeSafety, Signer, useRules } from './parts';

/** Make a rule of a blueprint, change or upgrade one: a form in place of a file. */
export function MakePage({ id, kind = 'add' }: { id?: string; kind?: 'add' | 'change' | 'upgrade' }) {
  const { t } = useWords();
  const { found: known, problem } = useRules<Blueprints>('/api/v1/blueprints');
  const { found: book } = useRules<RuleBook>('/api/v1/rulebook');
  const [card, setCard] = useState<Card | null>(null);
  const [, go] = useLocation();
  const rule = id ? book?.rules.find((one) => one.id === id) : undefined;
  const chosen = rule ? known?.items.find((one) => one.id === rule.blueprint) : card;
  const waits = !known || (id !== undefined && !book);
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{id ? `${t(`rules.kind.${kind}`)} ${id}` : t('rules.make')}</h2>
        <button type="button" className="btn" onClick={() => (card ? setCard(null) : go('/rules'))}>
          <IconArrowLeft size={20} aria-hidden />
          {t('rules.back')}
        </button>
      </div>
      <Refused problem={problem} />
      {waits && !problem && <div className="skeleton" style={{ height: 240 }} aria-busy="true" />}
      {known && !waits && !chosen && <Pick cards={known.items} pick={setCard} />}
      {known && chosen && <Form key={chosen.id} card={chosen} known={known} rule={rule} kind={kind} />}
    </div>
  );
}

function Pick({ cards, pick }: { cards: Card[]; pick: (card: Card) => void }) {
  const { t, language } = useWords();
  const [sought, setSought] = useState('');
  const text = (card: Card) => `${card.id} ${card.zh} ${card.en} ${card.about_zh} ${card.about_en}`.toLowerCase();
  const shown = cards.filter((card) => text(card).includes(sought.trim().toLowerCase()));
  return (
    <>
      <TextInput label={t('rules.seek')} value={sought} onChange={(event) => setSought(event.currentTarget.value)} />
      <div className="blueprints">
        {shown.map((card) => (
          <button key={card.id} type="button" className="kind" onClick={() => pick(card)}>
            <b>{card[language]}</b>
            <span>{language === 'zh' ? card.about_zh : card.about_en}</span>
            <small>
              {card.id} {card.version} · {t('rules.tests', { count: card.tests })}
              {card.life_safety && ` · ${t('rules.life_safety')}`}
              {card.signer === '' && ` · ${t('rules.unsigned')}`}
            </small>
          </button>
        ))}
      </div>
    </>
  );
}

function sections(inputs: InputCard[], language: 'zh' | 'en'): [string, InputCard[]][] {
  const found = new Map<string, InputCard[]>();
  for (const input of inputs) {
    const name = (language === 'zh' ? input.section_zh : input.section_en) ?? '';
    found.set(name, [...(found.get(name) ?? []), input]);
  }
  return [...found.entries()];
}

function fresh(card: Card, taken: Set<string>): string {
  for (let number = 1; ; number++) if (!taken.has(`${card.id}-${number}`)) return `${card.id}-${number}`;
}

function Form({ card, known, rule, kind }: { card: Card; known: Blueprints; rule?: RuleCard; kind: string }) {
  const { t, language } = useWords();
  const [, go] = useLocation();
  const { found: book } = useRules<RuleBook>('/api/v1/rulebook');
  const [name, setName] = useState('');
  const [mode, setMode] = useState(rule?.mode ?? 'enforce');
  const [note, setNote] = useState('');
  const [given, setGiven] = useState<Given>({ ...rule?.given });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const id = rule?.id ?? (name || fresh(card, new Set(book?.rules.map((one) => one.id))));
  const missing = card.inputs.filter((input) => input.required && !filled(given[input.id]));
  const send = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const mine = Object.fromEntries(Object.entries(given).filter(([name]) => card.inputs.some((input) => input.id === name)));
      const body = { kind, rule: id, blueprint: card.id, given: mine, mode, note };
      go(`/rules/drafts/${(await post<DraftView>('/api/v1/drafts', body)).id}`);
    } catch (error) {
      if (error instanceof Refusal) setProblem(error.problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="make"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div>
        <h3>{card[language]}</h3>
        <p>{language === 'zh' ? card.about_zh : card.about_en}</p>
        <p className="acts" style={{ marginTop: 8 }}>
          <span className="tag">
            {card.id} {card.version}
          </span>
          <Signer signer={card.signer} />
          {card.life_safety && <LifeSafety />}
        </p>
      </div>
      {sections(card.inputs, language).map(([title, inputs]) => (
        <fieldset key={title}>
          <legend>{title || t('rules.inputs')}</legend>
          {inputs.map((input) => (
            <InputField
              key={input.id}
              input={input}
              known={known}
              value={given[input.id]}
              set={(value) =>
                setGiven((before) => {
                  const next = { ...before, [input.id]: value };
                  if (value === undefined) delete next[input.id];
                  return next;
                })
              }
            />
          ))}
        </fieldset>
      ))}
      <fieldset>
        <legend>{t('rules.rule')}</legend>
        {!rule && <TextInput label={t('rules.id')} description={t('rules.id_help')} placeholder={id} value={name} maxLength={64} onChange={(event) => setName(event.currentTarget.value)} />}
        {kind === 'upgrade' ? null : card.life_safety ? (
          <p className="note">{t('rules.always_enforces')}</p>
        ) : (
          <Select
            label={t('rules.mode')}
            allowDeselect={false}
            data={['enforce', 'advise', 'shadow', 'off'].map((one) => ({ value: one, label: t(`rules.mode.${one}`) }))}
            value={mode}
            onChange={(one) => setMode(one ?? 'enforce')}
          />
        )}
        <TextInput label={t('rules.note')} value={note} maxLength={500} onChange={(event) => setNote(event.currentTarget.value)} />
      </fieldset>
      <Refused problem={problem} />
      <button type="submit" className="btn primary huge" disabled={busy || missing.length > 0}>
        <IconCheck size={22} aria-hidden />
        {t(busy ? 'rules.checking' : 'rules.check')}
      </button>
      {missing.length > 0 && <p className="note">{t('rules.missing', { names: missing.map((one) => one[language]).join(t('list.comma')) })}</p>}
    </form>
  );
}

const filled = (value: unknown) => value !== undefined && value !== '' && !(Array.isArray(value) && !value.length);
