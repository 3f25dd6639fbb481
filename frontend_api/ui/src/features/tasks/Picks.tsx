/** A choice of a few, each a big button; the chosen one is told by its state too. */
export function Picks<T extends string>(props: { label: string; options: readonly (readonly [T, string])[]; value: T | ''; pick: (value: T) => void }) {
  return (
    <fieldset className="ask">
      <legend>{props.label}</legend>
      <div className="picks">
        {props.options.map(([value, words]) => (
          <button key={value} type="button" className="pick" aria-pressed={props.value === value} onClick={() => props.pick(value)}>
            {words}
          </button>
        ))}
      </div>
    </fieldset>
  );
}
