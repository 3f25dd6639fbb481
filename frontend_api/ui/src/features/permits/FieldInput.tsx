import { Select, Textarea, TextInput } from '@mantine/core';
import { IconCheck, IconMapPin, IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import type { FieldView } from '../../api/schema';
import { useWords } from '../../i18n';
import { Figure } from './Ask';
import { useNames } from './parts';
import { UploadButton } from './UploadButton';
import { When } from './When';

export type One = string | number | boolean;
export type Filled = Record<string, One | One[] | undefined>;

const LONG = 60;

/** One field of a form, of any type that a pack may name, once or repeated. */
export function FieldInput(props: { field: FieldView; permitId: string; value: One | One[] | undefined; set: (value: One | One[] | undefined) => void }) {
  const { t, say } = useWords();
  const { field, permitId, value, set } = props;
  const label = say(field.names);
  if (field.repeats <= 1) {
    return <Single field={field} label={label} permitId={permitId} value={Array.isArray(value) ? value[0] : value} set={set} />;
  }
  const several = Array.isArray(value) ? value : value === undefined ? [] : [value];
  const shown = several.length ? several : [undefined];
  const put = (i: number, one: One | undefined) => {
    const next = [...several];
    if (one === undefined) next.splice(i, 1);
    else next[i] = one;
    set(next.length ? next : undefined);
  };
  return (
    <div className="stack" role="group" aria-label={label}>
      {shown.map((one, i) => (
        <Single key={i} field={field} label={shown.length > 1 ? `${label} ${i + 1}` : label} permitId={permitId} value={one} set={(next) => put(i, next)} />
      ))}
      {several.length > 0 && several.length < field.repeats && (
        <button type="button" className="btn" onClick={() => set([...several, ''])}>
          <IconPlus size={20} aria-hidden />
          {t('field.more')}
        </button>
      )}
    </div>
  );
}

interface SingleProps {
  field: FieldView;
  label: string;
  permitId: string;
  value: One | undefined;
  set: (value: One | undefined) => void;
}

function Single({ field, label, permitId, value, set }: SingleProps) {
  const { t, say } = useWords();
  const { people } = useNames();
  const required = field.required;
  const text = typeof value === 'string' ? value : '';
  switch (field.type) {
    case 'number':
    case 'device_reading':
      return <Figure shown label={label} required={required} unit={field.unit} low={field.low} high={field.high} value={value} set={set} />;
    case 'choice':
      return (
        <Picks label={label} value={value} set={set} picks={field.choices.map((one) => [one.id, say(one.names)])} />
      );
    case 'checklist':
      return <Picks label={label} value={value} set={set} picks={[[true, t('ask.yes')], [false, t('ask.no')]]} />;
    case 'person':
      return <Select label={label} required={required} searchable data={people.map((one) => ({ value: one.id, label: one.name }))} value={text || null} onChange={(one) => set(one ?? undefined)} />;
    case 'time':
      return <When label={label} required={required} value={typeof value === 'number' ? value : undefined} set={set} />;
    case 'photo':
    case 'video':
      return <UploadButton label={label} slot={field.id} permitId={permitId} kind={field.type} kept={text} done={set} />;
    case 'location':
      return <Location label={label} required={required} value={text} set={set} />;
    default:
      return text.length > LONG ? (
        <Textarea label={label} required={required} autosize value={text} maxLength={2000} onChange={(event) => set(event.currentTarget.value || undefined)} />
      ) : (
        <TextInput label={label} required={required} value={text} maxLength={2000} onChange={(event) => set(event.currentTarget.value || undefined)} />
      );
  }
}

function Picks({ label, picks, value, set }: { label: string; picks: [One, string][]; value: One | undefined; set: (value: One) => void }) {
  return (
    <fieldset className="ask">
      <legend>{label}</legend>
      <div className="picks">
        {picks.map(([one, words]) => (
          <button key={String(one)} type="button" className="pick" aria-pressed={value === one} onClick={() => set(one)}>
            {one === true && <IconCheck size={22} aria-hidden />}
            {one === false && <IconX size={22} aria-hidden />}
            {words}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

function Location({ label, required, value, set }: { label: string; required: boolean; value: string; set: (value: string | undefined) => void }) {
  const { t } = useWords();
  const [failed, setFailed] = useState(false);
  const locate = () =>
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => set(`${coords.latitude.toFixed(6)}, ${coords.longitude.toFixed(6)} ±${Math.round(coords.accuracy)} m`),
      () => setFailed(true),
      { enableHighAccuracy: true, timeout: 10_000 },
    );
  return (
    <div className="stack">
      <TextInput label={label} required={required} value={value} onChange={(event) => set(event.currentTarget.value || undefined)} error={failed ? t('guard.fix_bad') : undefined} />
      {window.isSecureContext && (
        <button type="button" className="btn" onClick={locate}>
          <IconMapPin size={20} aria-hidden />
          {t('guard.fix')}
        </button>
      )}
    </div>
  );
}
