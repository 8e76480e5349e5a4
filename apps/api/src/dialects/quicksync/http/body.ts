import { DomainError } from '#libs/kernel';

export type Body = Readonly<Record<string, unknown>>;

/** Members of a JSON body; null counts as absent, as the schema of the API has it. All throw INVALID_ARGUMENT for a value of another type. */
export function textIn(body: Body, name: string): string | undefined {
  return valueIn(body, name, 'a text', (value): value is string => typeof value === 'string');
}

export function integerIn(body: Body, name: string): number | undefined {
  return valueIn(body, name, 'a whole number', (value): value is number => Number.isSafeInteger(value));
}

export function flagIn(body: Body, name: string): boolean | undefined {
  return valueIn(body, name, 'true or false', (value): value is boolean => typeof value === 'boolean');
}

export function textsIn(body: Body, name: string): readonly string[] | undefined {
  return valueIn(
    body,
    name,
    'a list of texts',
    (value): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  );
}

export function objectIn(body: Body, name: string): Body {
  return valueIn(body, name, 'an object', (value): value is Body => typeof value === 'object' && !Array.isArray(value)) ?? {};
}

function valueIn<T>(body: Body, name: string, what: string, isRight: (value: unknown) => value is T): T | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (!isRight(value)) throw new DomainError('INVALID_ARGUMENT', `"${name}" must be ${what}.`);
  return value;
}
