import { NumberInput, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { FieldErrorView, Text } from '../../api/schema';
import { useWords } from '../../i18n';

/** A piece of JSON Schema as the hub writes it; words beyond it begin with `x-`. */
export interface Shape {
  type?: string;
  enum?: (string | number | boolean)[];
  const?: unknown;
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | boolean;
  required?: string[];
  items?: Shape;
  anyOf?: Shape[];
  minimum?: number;
  maximum?: number;
  default?: unknown;
  'x-label'?: Text;
  'x-help'?: Text;
  'x-secret'?: boolean;
  'x-json'?: boolean;
  'x-exclusive'?: string[][];
}

export type Path = (string | number)[];
/** What a list offers where nothing need be chosen. */
export const NOTHING = { value: '', label: '—' };
const same = (a: Path, b: Path) => a.length === b.length && a.every((one, at) => String(one) === String(b[at]));

interface Field {
  name: string;
  shape: Shape;
  value: unknown;
  set: (value: unknown) => void;
  needed: boolean;
  at: Path;
  errors: FieldErrorView[];
  stored: Path[];
}

/** Ask for everything that a form asks for, in its own shape. */
export function JsonForm(props: { form: Shape; values: Record<string, unknown>; set: (values: Record<string, unknown>) => void; errors: FieldErrorView[]; stored: Path[] }) {
  const { say } = useWords();
  const whole = props.errors.filter((one) => !one.path.length);
  return (
    <div className="device-form">
      {whole.map((one) => (
        <p key={one.text.en} className="refused" role="alert">
          {say(one.text)}
        </p>
      ))}
      <Fields shape={props.form} value={props.values} set={(value) => props.set(value as Record<string, unknown>)} at={[]} errors={props.errors} stored={props.stored} />
    </div>
  );
}

function Fields(props: Omit<Field, 'name' | 'needed'>) {
  const { shape, set, at, errors, stored } = props;
  const value = (props.value ?? {}) as Record<string, unknown>;
  const needed = shape.required ?? [];
  const put = (name: string, one: unknown) => {
    const next = { ...value };
    if (one === undefined) delete next[name];
    else next[name] = one;
    // Of fields that exclude each other the one that is filled in stays.
    for (const group of shape['x-exclusive'] ?? []) {
      if (one !== undefined && group.includes(name)) group.filter((other) => other !== name).forEach((other) => delete next[other]);
    }
    set(next);
  };
  return (
    <>
      {Object.entries(shape.properties ?? {}).map(([name, inner]) => (
        <Any key={name} name={name} shape={inner} value={value[name]} set={(one) => put(name, one)} needed={needed.includes(name)} at={[...at, name]} errors={errors} stored={stored} />
      ))}
      {typeof shape.additionalProperties === 'object' && <More {...props} value={value} inner={shape.additionalProperties} known={Object.keys(shape.properties ?? {})} />}
    </>
  );
}

function Any(field: Field) {
  const { say } = useWords();
  const { name, shape, value, set, needed, at } = field;
  const wrong = field.errors.filter((one) => same(one.path, at)).map((one) => say(one.text)).join(' ');
  const label = say(shape['x-label']) || name;
  const common = { label, description: say(shape['x-help']) || undefined, error: wrong || undefined, required: needed };
  if (shape.type === 'object' || shape.properties) return <Part field={field} label={label} wrong={wrong} />;
  if (shape.type === 'array' && shape.items) return <Items field={field} label={label} wrong={wrong} />;
  if (shape['x-secret']) {
    const kept = field.stored.some((one) => same(one, at));
    return <Secret {...common} kept={kept} value={value} set={set} />;
  }
  if (shape.enum) {
    return (
      <Select
        {...common}
        data={[...(needed || shape.default !== undefined ? [] : [NOTHING]), ...shape.enum.map((one) => ({ value: String(one), label: String(one) }))]}
        value={value === undefined ? String(shape.default ?? '') : String(value)}
        onChange={(one) => set(shape.enum?.find((each) => String(each) === one))}
        allowDeselect={false}
      />
    );
  }
  if (shape.type === 'boolean') {
    return <Switch label={label} description={common.description} error={common.error} checked={Boolean(value ?? shape.default)} onChange={(event) => set(event.currentTarget.checked)} size="md" />;
  }
  if (shape.type === 'integer' || shape.type === 'number') {
    return (
      <NumberInput
        {...common}
        hideControls
        allowDecimal={shape.type === 'number'}
        min={shape.minimum}
        max={shape.maximum}
        value={typeof value === 'number' ? value : ''}
        placeholder={shape.default === undefined || shape.default === null ? undefined : String(shape.default)}
        onChange={(one) => set(typeof one === 'number' ? one : undefined)}
      />
    );
  }
  if (shape.type === 'string') {
    return (
      <TextInput {...common} value={typeof value === 'string' ? value : ''} placeholder={typeof shape.default === 'string' ? shape.default : undefined} onChange={(event) => set(event.currentTarget.value || undefined)} />
    );
  }
  return <Json {...common} value={value} set={set} />;
}

function Secret(props: { label: string; description?: string; error?: string; required: boolean; kept: boolean; value: unknown; set: (value: unknown) => void }) {
  const { t } = useWords();
  const { kept, value, set, required, ...common } = props;
  return (
    <TextInput
      {...common}
      type="password"
      required={required && !kept}
      autoComplete="off"
      placeholder={kept ? t('devices.secret_kept') : undefined}
      value={typeof value === 'string' ? value : ''}
      onChange={(event) => set(event.currentTarget.value || undefined)}
    />
  );
}

/** What no field can tell is written as JSON; nothing is sent that does not read. */
function Json(props: { label: string; description?: string; error?: string; required: boolean; value: unknown; set: (value: unknown) => void }) {
  const { t } = useWords();
  const { value, set, ...common } = props;
  return (
    <Textarea
      {...common}
      description={common.description ?? t('devices.as_json')}
      autosize
      minRows={1}
      key={value === undefined ? 'empty' : 'filled'}
      defaultValue={value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)}
      onBlur={(event) => {
        const text = event.currentTarget.value.trim();
        if (!text) return set(undefined);
        try {
          set(JSON.parse(text));
        } catch {
          set(text);
        }
      }}
    />
  );
}

function Part({ field, label, wrong }: { field: Field; label: string; wrong: string }) {
  const { t } = useWords();
  const { value, set, needed } = field;
  const there = needed || value !== undefined;
  return (
    <fieldset className="part">
      <legend>{label}</legend>
      {wrong && <p className="refused">{wrong}</p>}
      {there ? (
        <>
          <Fields {...field} />
          {!needed && (
            <button type="button" className="btn" onClick={() => set(undefined)}>
              <IconTrash size={20} aria-hidden />
              {t('devices.leave_out', { name: label })}
            </button>
          )}
        </>
      ) : (
        <button type="button" className="btn" onClick={() => set({})}>
          <IconPlus size={20} aria-hidden />
          {t('devices.add', { name: label })}
        </button>
      )}
    </fieldset>
  );
}

function Items({ field, label, wrong }: { field: Field; label: string; wrong: string }) {
  const { t } = useWords();
  const { shape, value, set, at } = field;
  const items = Array.isArray(value) ? (value as unknown[]) : [];
  const inner = shape.items ?? {};
  const empty = inner.type === 'object' || inner.properties ? {} : undefined;
  return (
    <fieldset className="part">
      <legend>{label}</legend>
      {wrong && <p className="refused">{wrong}</p>}
      {items.map((one, number) => (
        <div key={number} className="item">
          <Any
            {...field}
            name={`${label} ${number + 1}`}
            shape={inner}
            value={one ?? undefined}
            needed
            at={[...at, number]}
            set={(next) => set(items.map((each, place) => (place === number ? next : each)))}
          />
          <button type="button" className="btn" onClick={() => set(items.length > 1 ? items.filter((_, place) => place !== number) : undefined)}>
            <IconTrash size={20} aria-hidden />
            {t('devices.leave_out', { name: `${label} ${number + 1}` })}
          </button>
        </div>
      ))}
      <button type="button" className="btn" onClick={() => set([...items, empty ?? null])}>
        <IconPlus size={20} aria-hidden />
        {t('devices.add', { name: label })}
      </button>
    </fieldset>
  );
}

/** Ask for fields whose names the person gives. */
function More(props: Omit<Field, 'name' | 'needed'> & { inner: Shape; known: string[] }) {
  const { t } = useWords();
  const { inner, known, set, at, errors, stored } = props;
  const value = props.value as Record<string, unknown>;
  const names = Object.keys(value).filter((name) => !known.includes(name));
  return (
    <>
      {names.map((name) => (
        <Any key={name} name={name} shape={inner} value={value[name]} needed={false} set={(one) => set({ ...value, [name]: one ?? null })} at={[...at, name]} errors={errors} stored={stored} />
      ))}
      <TextInput
        label={t('devices.new_name')}
        onKeyDown={(event) => {
          const name = event.currentTarget.value.trim();
          if (event.key !== 'Enter' || !name) return;
          event.preventDefault();
          set({ ...value, [name]: inner.type === 'object' ? {} : null });
          event.currentTarget.value = '';
        }}
        description={t('devices.new_name_note')}
      />
    </>
  );
}
