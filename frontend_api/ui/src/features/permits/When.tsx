import { TextInput } from '@mantine/core';

const two = (n: number) => String(n).padStart(2, '0');

/** Write wall milliseconds as a date field wants them, in this device's zone. */
export function local(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function When(props: { label: string; value: number | undefined; set: (ms: number | undefined) => void; required?: boolean; description?: string }) {
  return (
    <TextInput
      type="datetime-local"
      label={props.label}
      description={props.description}
      required={props.required}
      value={props.value ? local(props.value) : ''}
      onChange={(event) => {
        const ms = new Date(event.currentTarget.value).getTime();
        props.set(Number.isFinite(ms) ? ms : undefined);
      }}
    />
  );
}
