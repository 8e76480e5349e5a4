import { DomainError } from '#libs/kernel';

/** What a table needs to know of a route. */
export interface TableRoute {
  readonly name: string;
  readonly templates: readonly string[];
}

export interface RouteMatch<R extends TableRoute> {
  readonly route: R;
  readonly template: string;
  readonly segments: Record<string, string>;
  readonly tail: string[];
}

interface Leaf<R> {
  readonly route: R;
  readonly template: string;
  readonly names: readonly string[];
}

interface Branch<R> {
  readonly literals: Map<string, Branch<R>>;
  one: Branch<R> | null;
  end: Leaf<R> | null;
  rest: Leaf<R> | null;
}

const branch = <R>(): Branch<R> => ({ literals: new Map(), one: null, end: null, rest: null });
const PLACEHOLDER = /^<(\w+)>$/;

/** Finds the route of a path. Literal segments win over `<name>`, and both over `<path>`; the search is a walk down a tree, whatever the number of routes. */
export class RouteTable<R extends TableRoute> {
  private readonly root = branch<R>();

  /** Throws when two routes claim the same path. */
  add(route: R): void {
    for (const template of route.templates) this.addTemplate(route, template);
  }

  find(segments: readonly string[]): RouteMatch<R> | null {
    return walk(this.root, segments, 0, []);
  }

  private addTemplate(route: R, template: string): void {
    const parts = template.split('/').filter((part) => part !== '');
    const hasTail = parts.at(-1) === '<path>';
    if (hasTail) parts.pop();
    const names: string[] = [];
    let at = this.root;
    for (const part of parts) {
      const name = PLACEHOLDER.exec(part)?.[1];
      if (name === undefined) {
        let next = at.literals.get(part);
        if (!next) at.literals.set(part, (next = branch<R>()));
        at = next;
      } else {
        names.push(name);
        at = at.one ??= branch<R>();
      }
    }
    const taken = hasTail ? at.rest : at.end;
    if (taken) throw new Error(`The routes ${taken.route.name} and ${route.name} both claim ${template}`);
    const leaf = { route, template: [...parts, ...(hasTail ? ['<path>'] : [])].join('/'), names };
    if (hasTail) at.rest = leaf;
    else at.end = leaf;
  }
}

function walk<R extends TableRoute>(at: Branch<R>, segments: readonly string[], index: number, values: readonly string[]): RouteMatch<R> | null {
  const segment = segments[index];
  if (segment === undefined) {
    const leaf = at.end ?? at.rest;
    return leaf && match(leaf, values, []);
  }
  const literal = at.literals.get(segment);
  const found = (literal && walk(literal, segments, index + 1, values)) ?? (at.one && walk(at.one, segments, index + 1, [...values, segment]));
  return found ?? (at.rest && match(at.rest, values, segments.slice(index)));
}

function match<R extends TableRoute>({ route, template, names }: Leaf<R>, values: readonly string[], tail: string[]): RouteMatch<R> {
  return { route, template, tail, segments: Object.fromEntries(names.map((name, index) => [name, values[index]!])) };
}

/**
 * Segments of the path part of a URL: percent-decoded, empty ones (repeated and trailing slashes) dropped; an encoded slash separates like a plain one, because no name can hold it.
 * Throws INVALID_ARGUMENT for an encoding that is not UTF-8.
 */
export function pathSegments(path: string): string[] {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw new DomainError('INVALID_ARGUMENT', 'The path of the URL is not valid percent-encoded UTF-8.');
  }
  if (decoded.includes('\0')) throw new DomainError('INVALID_ARGUMENT', 'The path of the URL holds a NUL character.');
  return decoded.split('/').filter((segment) => segment !== '');
}
