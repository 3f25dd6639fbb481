import { TextInput } from '@mantine/core';
import { useSite } from '../../api/hooks';
import { fromLocal, local } from '../../app/format';
import { useWords } from '../../i18n';

/** Ask for a moment in the site's time, wherever the person who fills it in sits. */
export function When(props: { label: string; value: number | undefined; set: (ms: number | undefined) => void; required?: boolean; description?: string }) {
  const { t } = useWords();
  const zone = useSite()?.time_zone ?? 'UTC';
  const now = Date.now();
  const elsewhere = local(now, zone) !== local(now, Intl.DateTimeFormat().resolvedOptions().timeZone);
  const note = [props.description, elsewhere && t('when.zone', { zone })].filter(Boolean).join(' · ');
  return (
    <TextInput
      type="datetime-local"
      label={props.label}
      description={note || undefined}
      required={props.required}
      value={props.value ? local(props.value, zone) : ''}
      onChange={(event) => {
        const ms = fromLocal(event.currentTarget.value, zone);
        props.set(Number.isFinite(ms) ? ms : undefined);
      }}
    />
  );
}
