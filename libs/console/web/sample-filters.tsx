import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { orders, type Order, type SamplePage } from '../src/api.js';
import { measures } from '../src/analysis/measures.js';
import { count, words } from '../src/components/format.js';

/** Milliseconds without a key after which a text is searched. */
const TYPED = 250;

const ORDERS: Readonly<Record<Order, string>> = {
  arrival: 'as annotated',
  question: 'by question',
  confidence: 'confidence apart most',
  attention: 'attention apart most',
  reasoning: 'reasoning apart most',
};

interface SampleFiltersProps {
  readonly filter: URLSearchParams;
  readonly counts: Pick<SamplePage, 'tasks' | 'outcomes' | 'reasons'> | undefined;
  readonly onChange: (changes: Readonly<Record<string, string>>) => void;
}

/** What the list of samples can be narrowed down by; each change takes effect at once. */
export function SampleFilters({ filter, counts, onChange }: SampleFiltersProps): VNode {
  const set = (name: string) => (value: string) => onChange({ [name]: value });
  const value = (name: string): string => filter.get(name) ?? '';
  const measure = value('measure');
  return (
    <form class="filters" role="search" aria-label="Samples" onSubmit={(event) => event.preventDefault()}>
      <TextField label="Question or answer" value={value('text')} onChange={set('text')} />
      <Choice label="Task" value={value('task')} counts={counts?.tasks} onChange={set('task')} />
      <Choice label="Decision" value={value('outcome')} counts={counts?.outcomes} onChange={set('outcome')} />
      <Choice label="Reason" value={value('reason')} counts={counts?.reasons} onChange={set('reason')} />
      <Select
        label="Discrepancy"
        value={measure}
        options={[['', 'any'], ...measures.map((name) => [name, name] as const)]}
        onChange={(name) => onChange({ measure: name, min: '', max: '' })}
      />
      {measure !== '' && (
        <>
          <Share label="from" value={value('min') || '0'} onChange={set('min')} />
          <Share label="to" value={value('max') || '1'} onChange={set('max')} />
        </>
      )}
      <Select
        label="Order"
        value={value('order') || 'arrival'}
        options={orders.map((order) => [order, ORDERS[order]])}
        onChange={set('order')}
      />
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function TextField({ label, value, onChange }: FieldProps): VNode {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);
  // What is typed stays while it is being typed; what comes from elsewhere, such as a link, is shown.
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = (text: string): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(text), TYPED);
  };
  return (
    <label>
      {label}
      <input
        ref={input}
        type="search"
        maxLength={200}
        defaultValue={value}
        onInput={({ currentTarget }) => typed(currentTarget.value)}
      />
    </label>
  );
}

function Choice({
  label,
  value,
  counts = {},
  onChange,
}: FieldProps & { readonly counts: Readonly<Record<string, number>> | undefined }): VNode {
  const found = Object.entries(counts).sort();
  const known = value === '' || value in counts ? found : [...found, [value, 0] as const];
  const options = known.map(([name, n]) => [name, `${words(name)} (${count(n)})`] as const);
  return <Select label={label} value={value} options={[['', 'any'], ...options]} onChange={onChange} />;
}

function Select({
  label,
  value,
  options,
  onChange,
}: FieldProps & { readonly options: readonly (readonly [value: string, text: string])[] }): VNode {
  return (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Share({ label, value, onChange }: FieldProps): VNode {
  return (
    <label>
      {label}
      <input
        type="number"
        min="0"
        max="1"
        step="0.05"
        value={value}
        onChange={({ currentTarget }) => currentTarget.checkValidity() && onChange(currentTarget.value)}
      />
    </label>
  );
}
