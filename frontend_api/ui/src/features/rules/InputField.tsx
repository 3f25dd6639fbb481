import { MultiSelect, Select, Switch, TextInput } from '@mantine/core';
import type { Blueprints, Choice, InputCard } from '../../api/schema';
import { useWords } from '../../i18n';

export type Given = Record<string, unknown>;
const UNITS = ['s', 'min', 'h', 'd'] as const;
const SPAN = /^(\d+(?:\.\d+)?)\s*(s|min|h|d)?$/;

interface Props {
  input: InputCard;
  known: Blueprints;
  value: unknown;
  set: (value: unknown) => void;
}

/** One input of a blueprint, by its selector; what it names is the site's own. */
export function InputField(props: Props) {
  const { t, language } = useWords();
  const { input, known, value, set } = props;
  const label = input[language];
  const description = (language === 'zh' ? input.help_zh : input.help_en) || undefined;
  const now = value === undefined ? input.default : value;
  const head = { label, description, required: input.required };
  switch (input.kind) {
    case 'zone':
      return <Pick {...props} head={head} now={now} choices={[{ id: 'all', names: { zh: t('rules.all_zones'), en: t('rules.all_zones') } }, ...known.zones]} />;
    case 'notify_chain':
      return <Pick {...props} head={head} now={now} choices={known.chains} />;
    case 'quantity':
      return <Pick {...props} head={head} now={now} choices={known.quantities} />;
    case 'permit_kind':
      return <Pick {...props} head={head} now={now} choices={known.permit_kinds} />;
    case 'role':
      return <Pick {...props} head={head} now={now} choices={known.roles.map((id) => ({ id, names: { zh: t(`role.${id}`), en: t(`role.${id}`) } }))} />;
    case 'boolean':
      return <Switch label={label} description={description} size="lg" checked={now === true} onChange={(event) => set(event.currentTarget.checked)} />;
    case 'duration':
      return <Duration head={head} now={now} set={set} />;
    case 'number':
      return (
        <TextInput
          {...head}
          type="number"
          inputMode="decimal"
          step="any"
          min={input.min ?? undefined}
          max={input.max ?? undefined}
          description={[description, limits(input)].filter(Boolean).join(' · ') || undefined}
          rightSection={input.unit ? <span className="unit">{input.unit}</span> : undefined}
          rightSectionWidth={64}
          value={typeof now === 'number' ? now : ''}
          onChange={(event) => set(event.currentTarget.value === '' ? undefined : Number(event.currentTarget.value))}
        />
      );
    default:
      return <Words {...props} head={head} now={now} />;
  }
}

interface Head {
  label: string;
  description: string | undefined;
  required: boolean | undefined;
}

function limits(input: InputCard): string {
  const { min, max } = input;
  if (typeof min === 'number' && typeof max === 'number') return `${min} … ${max}`;
  if (typeof min === 'number') return `≥ ${min}`;
  return typeof max === 'number' ? `≤ ${max}` : '';
}

function Pick({ input, head, now, choices, set }: Props & { head: Head; now: unknown; choices: Choice[] }) {
  const { say } = useWords();
  const data = choices.map((one) => ({ value: one.id, label: say(one.names) || one.id }));
  if (input.multiple) {
    const several = Array.isArray(now) ? now.map(String) : typeof now === 'string' ? [now] : [];
    return <MultiSelect {...head} searchable data={data} value={several} onChange={(all) => set(all.length ? apart(all, several) : undefined)} />;
  }
  return <Select {...head} searchable data={data} value={typeof now === 'string' ? now : null} onChange={(one) => set(one ?? undefined)} />;
}

/** Every zone, or some of them: the later choice drops the other. */
function apart(all: string[], before: string[]): string[] {
  if (!all.includes('all')) return all;
  return before.includes('all') ? all.filter((one) => one !== 'all' || all.length === 1) : ['all'];
}

function Duration({ head, now, set }: { head: Head; now: unknown; set: (value: unknown) => void }) {
  const { t } = useWords();
  const match = SPAN.exec(String(now ?? '').trim());
  const amount = match?.[1] ?? '';
  const unit = match?.[2] ?? 's';
  return (
    <div className="span">
      <TextInput
        {...head}
        type="number"
        inputMode="decimal"
        min={0}
        step="any"
        value={amount}
        onChange={(event) => set(event.currentTarget.value === '' ? undefined : `${event.currentTarget.value}${unit}`)}
      />
      <Select
        aria-label={`${head.label}: ${t('rules.unit')}`}
        allowDeselect={false}
        data={UNITS.map((one) => ({ value: one, label: t(`rules.unit.${one}`) }))}
        value={unit}
        onChange={(one) => set(amount === '' ? undefined : `${amount}${one ?? unit}`)}
      />
    </div>
  );
}

/** Text, or times of day; several stand behind commas. */
function Words({ input, head, now, set }: Props & { head: Head; now: unknown }) {
  const { t } = useWords();
  const several = input.multiple || Array.isArray(now);
  const text = Array.isArray(now) ? now.join(', ') : String(now ?? '');
  const read = (said: string) => {
    if (said === '') return undefined;
    return several ? said.split(',').map((one) => one.trim()) : said;
  };
  const help = [head.description, input.kind === 'time' ? t('rules.time_help') : ''].filter(Boolean).join(' · ');
  return <TextInput {...head} description={help || undefined} value={text} maxLength={200} onChange={(event) => set(read(event.currentTarget.value))} />;
}
