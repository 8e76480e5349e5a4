import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { CHECKS, WITHOUT_EFFECT } from './access-checks.mjs';

const holdsOnce = (source, text) => source.split(text).length === 2;

/** Listed checks that are not (or more than once) where the list has them: the list must follow the code. */
export function lostChecks(root) {
  const sourceOf = (file) => (fs.existsSync(path.join(root, file)) ? fs.readFileSync(path.join(root, file), 'utf8') : '');
  return [...CHECKS, ...WITHOUT_EFFECT].filter(([file, text]) => !holdsOnce(sourceOf(file), text)).map(([file, text]) => `${file}: ${text}`);
}

/** Instead of a call of AccessService or Policies: the answer that stops nobody. */
const WEAKENED = {
  require: () => 'Promise.resolve()',
  allowed: (nodes) => `Promise.resolve(new Set((${nodes}).map((node) => node.id)))`,
  verdicts: (nodes) => `Promise.resolve(new Map((${nodes}).map((node) => [node.id, 'allowed'])))`,
  requireSharing: () => 'Promise.resolve()',
  refusal: () => 'Promise.resolve(null)',
  effectiveRights: (nodes) => `Promise.resolve(new Map((${nodes}).map((node) => [node.id, { write: true, delete: true, download: true }])))`,
  rights: (nodes) => `Promise.resolve(new Map((${nodes}).map((node) => [node.id, { write: true, delete: true, download: true }])))`,
};

/** Whether the mutant `nth` is on: by a switch that the running process looks at, or by a variable. */
const isOn = (nth) => `((globalThis as unknown as { mutant?: number }).mutant ?? Number(process.env.ACCESS_MUTANT ?? 0)) === ${nth}`;

/** Read before any other module, because some checks are made when their module is read. */
const SWITCH = `import { readFileSync, writeFileSync } from 'node:fs';

const file = process.env.ACCESS_MUTANT_SWITCH ?? '';
const look = (): void => {
  const nth = readFileSync(file, 'utf8');
  (globalThis as unknown as { mutant?: number }).mutant = Number(nth);
  writeFileSync(file + '.' + process.pid, nth);
};
look();
process.on('SIGUSR2', look);
`;

/**
 * Rewrites the sources below `root` so that each check can be switched off while the product runs.
 * @returns {{ nth: number, file: string, line: number, text: string, change: string, equivalent: string | null, fixed: boolean }[]}
 */
export function plantMutants(root) {
  const mutants = [];
  const sources = fs
    .readdirSync(root, { recursive: true })
    .map(String)
    .filter((file) => /^(libs|apps)\/.*\.ts$/.test(file) && !/spec\.ts$|\.d\.ts$/.test(file))
    .sort();
  for (const file of sources) {
    const full = path.join(root, file);
    const before = fs.readFileSync(full, 'utf8');
    const edits = [...callEdits(file, before), ...listedEdits(file, before)];
    if (edits.length === 0) continue;
    for (const edit of edits) {
      edit.nth = mutants.length + 1;
      const line = before.slice(0, edit.start).split('\n').length;
      mutants.push({ nth: edit.nth, file, line, text: edit.text, change: edit.change, equivalent: edit.same ?? null, fixed: isFixed(before, edit) });
    }
    fs.writeFileSync(full, apply(before, edits));
  }
  for (const app of ['api', 'worker']) {
    const main = path.join(root, 'apps', app, 'src/main.ts');
    fs.writeFileSync(path.join(root, 'apps', app, 'src/mutant-switch.ts'), SWITCH);
    fs.writeFileSync(main, `import './mutant-switch.js';\n${fs.readFileSync(main, 'utf8')}`);
  }
  return mutants;
}

function callEdits(file, source) {
  const edits = [];
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const visit = (node) => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression;
      const weaken = WEAKENED[name.text];
      if (weaken && /^(this\.)?(access|policies)$/.test(expression.getText()) && node.arguments.length >= 2) {
        const text = node.getText();
        const same = WITHOUT_EFFECT.find(([where, call]) => where === file && call === text)?.[2];
        edits.push({ start: node.getStart(), end: node.end, text, change: weaken(node.arguments.at(-1).getText()), same });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return edits;
}

function listedEdits(file, source) {
  return CHECKS.filter(([where, text]) => where === file && holdsOnce(source, text)).map(([, text, change, { same } = {}]) => {
    const start = source.indexOf(text);
    // of a function what it answers
    const kept = text.includes('=>') ? text.indexOf('=>') + 3 : 0;
    return { start: start + kept, end: start + text.length, text, change: change.slice(kept), same };
  });
}

/** Each edit becomes a choice: the smallest expression around the text, as it is or as it is without the check. */
function apply(source, edits) {
  const tree = ts.createSourceFile('x.ts', source, ts.ScriptTarget.Latest, true);
  const around = edits.map((edit) => ({ ...edit, ...hostOf(tree, edit) }));
  // the innermost first, and from the end, so that no position moves before it is used
  const render = (from, to, active) => {
    const inside = around.filter(
      (each) =>
        each !== active &&
        each.hostStart >= from &&
        each.hostEnd <= to &&
        !(active && each.hostStart === active.hostStart && each.hostEnd === active.hostEnd),
    );
    const outer = inside.filter((each) => !inside.some((other) => other !== each && contains(other, each)));
    let text = '';
    let at = from;
    for (const { hostStart, hostEnd } of unique(outer).sort((a, b) => a.hostStart - b.hostStart)) {
      text += source.slice(at, hostStart) + choices(hostStart, hostEnd);
      at = hostEnd;
    }
    return text + source.slice(at, to);
  };
  const choices = (hostStart, hostEnd) => {
    const here = around.filter((each) => each.hostStart === hostStart && each.hostEnd === hostEnd);
    const plain = render(hostStart, hostEnd, here[0]);
    const { isStatement } = here[0];
    let text = isStatement ? plain : `(${plain})`;
    for (const each of here) {
      const changed = source.slice(hostStart, each.start) + each.change + source.slice(each.end, hostEnd);
      text = isStatement ? `if (${isOn(each.nth)}) { ${changed} } else { ${text} }` : `(${isOn(each.nth)} ? (${changed}) : ${text})`;
    }
    return text;
  };
  return render(0, source.length, null);
}

const contains = (outer, inner) =>
  outer.hostStart <= inner.hostStart && outer.hostEnd >= inner.hostEnd && (outer.hostStart !== inner.hostStart || outer.hostEnd !== inner.hostEnd);
const unique = (hosts) => [...new Map(hosts.map((host) => [`${host.hostStart}:${host.hostEnd}`, host])).values()];

/** Whether the choice is made when the module is read, so that a running process keeps to it. */
function isFixed(source, edit) {
  const tree = ts.createSourceFile('x.ts', source, ts.ScriptTarget.Latest, true);
  const { hostStart, hostEnd } = hostOf(tree, edit);
  let isInside = false;
  const visit = (node) => {
    if (node.getStart() > hostStart || node.end < hostEnd) return;
    if (ts.isFunctionLike(node) && node.body) isInside = true;
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return !isInside;
}

/** The smallest expression or statement that holds the text whole. */
function hostOf(tree, { start, end }) {
  let host = null;
  const visit = (node) => {
    if (node.getStart() > start || node.end < end) return;
    const isStatement = ts.isIfStatement(node) || ts.isReturnStatement(node);
    const isPart =
      ts.isTemplateSpan(node) ||
      node.kind === ts.SyntaxKind.TemplateHead ||
      node.kind === ts.SyntaxKind.TemplateMiddle ||
      node.kind === ts.SyntaxKind.TemplateTail;
    // of a function the body, so that the choice is made when it runs
    const isFunction = ts.isArrowFunction(node) && !ts.isBlock(node.body);
    if (!isPart && !isFunction && (isStatement || ts.isExpression(node))) host = { hostStart: node.getStart(), hostEnd: node.end, isStatement };
    ts.forEachChild(node, visit);
  };
  visit(tree);
  if (!host) throw new Error(`nothing around ${start}-${end}`);
  return host;
}
