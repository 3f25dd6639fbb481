import { TextInput } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import type { QuestionView } from '../../api/schema';
import { useWords } from '../../i18n';

export type Answer = boolean | number | string;
export type Answers = Record<string, Answer>;

/** Ask for one fact in large type: yes and no, a number, or one of few words. */
export function Ask(props: { question: QuestionView; value: Answer | undefined; set: (value: Answer | undefined) => void }) {
  const { t, say } = useWords();
  const { question, value, set } = props;
  const words = say(question.names);
  const picks: [Answer, string][] =
    question.type === 'bool'
      ? [
          [true, t('ask.yes')],
          [false, t('ask.no')],
        ]
      : question.choices.map((one) => [one.id, say(one.names)]);
  return (
    <fieldset className="ask">
      <legend>{words}</legend>
      {question.type === 'number' ? (
        <Figure label={words} unit={question.unit} low={question.low} high={question.high} value={value} set={set} />
      ) : (
        <div className="picks">
          {picks.map(([one, label]) => (
            <button key={String(one)} type="button" className="pick" aria-pressed={value === one} onClick={() => set(one)}>
              {one === true && <IconCheck size={22} aria-hidden />}
              {one === false && <IconX size={22} aria-hidden />}
              {label}
            </button>
          ))}
        </div>
      )}
    </fieldset>
  );
}

export function Figure(props: {
  label: string;
  unit: string;
  low?: number | null;
  high?: number | null;
  value: unknown;
  required?: boolean;
  shown?: boolean;
  set: (value: number | undefined) => void;
}) {
  return (
    <TextInput
      type="number"
      inputMode="decimal"
      step="any"
      label={props.shown ? props.label : undefined}
      aria-label={props.shown ? undefined : props.label}
      required={props.required}
      min={props.low ?? undefined}
      max={props.high ?? undefined}
      rightSection={<span className="unit">{props.unit}</span>}
      rightSectionWidth={64}
      value={typeof props.value === 'number' ? props.value : ''}
      onChange={(event) => {
        const text = event.currentTarget.value;
        const number = Number(text);
        props.set(text === '' || !Number.isFinite(number) ? undefined : number);
      }}
    />
  );
}
