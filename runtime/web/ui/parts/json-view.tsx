import type { ComponentChild } from 'preact';
import type { Json } from '../wire.types.ts';

interface JsonViewProps {
  readonly value: Json;
  /** What it was one step before; fields that differ are marked. */
  readonly before: Json | undefined;
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Plain JSON, readable: one field a line, what changed marked by a bar and a dot. */
export const JsonView = ({ value, before }: JsonViewProps) => (
  <div class="json">{isObject(value) ? fieldsOf(value, before) : <div>{leaf(value)}</div>}</div>
);

function fieldsOf(value: { readonly [key: string]: Json }, before: Json | undefined) {
  const past = isObject(before) ? before : undefined;
  const entries = Object.entries(value);
  if (entries.length === 0) return <span class="soft">nothing</span>;
  return entries.map(([key, item]) => (
    <Field
      key={key}
      name={key}
      value={item}
      before={past?.[key]}
      isChanged={past !== undefined && JSON.stringify(past[key]) !== JSON.stringify(item)}
    />
  ));
}

interface FieldProps extends JsonViewProps {
  readonly name: string;
  readonly isChanged: boolean;
}

function Field({ name, value, before, isChanged }: FieldProps) {
  const title = isChanged ? `was ${JSON.stringify(before) ?? 'not there'}` : undefined;
  const classes = isChanged ? 'field changed' : 'field';
  const isNested = value !== null && typeof value === 'object' && JSON.stringify(value).length > 34;
  if (!isNested)
    return (
      <div class={classes} title={title}>
        <b>{name}</b> {leaf(value)}
      </div>
    );
  const inside = Array.isArray(value)
    ? fieldsOf(Object.fromEntries(value.entries()), undefined)
    : fieldsOf(value as { readonly [key: string]: Json }, before);
  return (
    <details class={classes} title={title} open>
      <summary>
        <b>{name}</b>
        <span class="soft"> {Array.isArray(value) ? `${value.length} items` : ''}</span>
      </summary>
      {inside}
    </details>
  );
}

function leaf(value: Json): ComponentChild {
  if (value === '(secret)') return <span class="secret">secret</span>;
  if (typeof value === 'string') return <span class="text">{JSON.stringify(value)}</span>;
  if (value === null || typeof value === 'object')
    return <span class="soft">{JSON.stringify(value)}</span>;
  return <span class="number">{String(value)}</span>;
}
