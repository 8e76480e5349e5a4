import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/**
 * Checks that are no call of AccessService: what stands in a file, exactly once, and what it becomes when the check is gone. `same`:
 * why its absence changes nothing that anybody could see.
 */
const CHECKS = [
  ['libs/access/src/access.service.ts', "'node.download': (right) => right.download", "'node.download': () => true"],
  ['libs/access/src/access.service.ts', "'node.link': (right) => right.download", "'node.link': () => true"],
  ['libs/access/src/access.service.ts', "'node.write': (right) => right.write", "'node.write': () => true"],
  ['libs/access/src/access.service.ts', "'node.create': (right) => right.write", "'node.create': () => true"],
  ['libs/access/src/access.service.ts', "'node.delete': (right) => right.delete", "'node.delete': () => true"],
  ['libs/access/src/access.service.ts', "'node.restore': (right) => right.delete", "'node.restore': () => true"],
  ['libs/access/src/access.service.ts', "'node.share': () => false", "'node.share': () => true"],
  ['libs/access/src/access.service.ts', 'node.ownerId === actor.accountId', 'true'],
  ['libs/access/src/access.service.ts', "actor.kind === 'guest' && !GUEST_ACTIONS.includes(action)", 'false'],
  ['libs/access/src/access.service.ts', "(adds && action === 'node.create')", 'adds'],
  ['libs/access/src/access.service.ts', 'if (live) return', 'if (true) return'],
  [
    'libs/access/src/access.service.ts',
    'return canDelete ? { write: false, delete: true, download: false } : null',
    'return { write: false, delete: true, download: false }',
  ],
  [
    'libs/access/src/access.service.ts',
    "rights === 'upload' ? { ...NOTHING, adds: true } : { ...NOTHING, right: VIEW }",
    '{ ...NOTHING, right: VIEW, adds: true }',
  ],
  ['libs/access/src/repositories/chain-sql.ts', "i.state = 'accepted'", "i.state <> ''"],
  [
    'libs/access/src/repositories/chain-sql.ts',
    'm.group_id = g.group_id AND m.account_id = i.account_id',
    'm.group_id = g.group_id OR g.group_id IS NOT NULL',
  ],
  ['libs/access/src/repositories/right.repository.ts', '${ACCEPTED} AND i.account_id = $2', '${ACCEPTED} AND $2::bigint IS NOT NULL'],
  ['libs/access/src/repositories/right.repository.ts', 'WHERE w.open AND NOT w.gone GROUP BY', 'WHERE NOT w.gone GROUP BY'],
  ['libs/access/src/repositories/pass.repository.ts', 'l.blocked_at IS NULL AND', 'true AND'],
  ['libs/access/src/repositories/pass.repository.ts', '(l.expires_at IS NULL OR l.expires_at > $2)', '$2::timestamptz IS NOT NULL'],
  ['libs/access/src/repositories/pass.repository.ts', 'WHERE s.public_view', 'WHERE true'],
  ['libs/access/src/repositories/pass.repository.ts', "AND a.state = 'active'", ''],
  ['libs/access/src/repositories/pass.repository.ts', '(a.expires_at IS NULL OR a.expires_at > $2)', '$2::timestamptz IS NOT NULL'],
  ['libs/access/src/repositories/pass.repository.ts', "CASE p.rights WHEN 'upload' THEN a.can_upload ELSE a.can_download END", 'true'],
  ['libs/access/src/repositories/pass.repository.ts', 'coalesce(c.public_links_allow, true)', 'true'],
  ['libs/access/src/repositories/pass.repository.ts', 'WHERE w.live AND', 'WHERE'],
  ['libs/access/src/repositories/pass.repository.ts', 's.account_id = p.issuer_id OR', 'true OR'],
  ['libs/access/src/invitation.service.ts', 'seen?.accountId !== accountId', '!seen'],
  ['libs/access/src/invitation.service.ts', 'if (!folder.live) throw', 'if (false) throw'],
  ['libs/access/src/repositories/invitation.repository.ts', 'WHERE i.hash = $1 AND ${CONCERNED}', 'WHERE i.hash = $1'],
  ['libs/access/src/grant.service.ts', '!own || !covers(own, right)', 'false', { same: 'only the owner gets there, and he has every right' }],
  ['libs/links/src/link-door.ts', 'if (found.blocked)', 'if (false)'],
  ['libs/links/src/link-door.ts', 'if (end !== null)', 'if (false)'],
  ['libs/links/src/link-door.ts', 'if (!known) await this.passwords.check', 'if (false) await this.passwords.check'],
  ['libs/links/src/link-door.ts', 'rights !== undefined && found.rights !== rights', 'false'],
  ['libs/links/src/link-door.ts', 'if (!open) throw', 'if (placed === null) throw'],
  ['libs/links/src/link-door.ts', 'known && known.issuerId === viewer?.accountId', 'known'],
  ['libs/links/src/complaint.service.ts', "actor.role !== 'admin'", 'false'],
  ['libs/shares/src/share-door.ts', 'if (!share.publicView) throw', 'if (false) throw'],
  ['libs/shares/src/share-door.ts', '!placed?.live', '!placed'],
  ['libs/shares/src/share-folders.ts', 'own !== null && !(own.isCompanyAdmin && own.companyId !== null)', 'false'],
  ['libs/shares/src/share-folders.ts', '(own !== null && owner.companyId !== own.companyId)', 'false'],
  ['libs/groups/src/group.service.ts', '(!isSystemAdmin && group.companyId !== companyId)', 'false'],
  ['libs/office/src/wopi-access.service.ts', '|| fileIdOf(holder.nodeId, holder.versionNo) !== fileId', ''],
  ['libs/office/src/wopi-access.service.ts', '!right?.download ||', '!right ||'],
  ['libs/office/src/wopi-access.service.ts', 'holder.mayWrite && holder.canUpload && right.write', 'right.write'],
  ['libs/office/src/wopi-access.service.ts', 'holder.canUpload && right.write', 'holder.canUpload'],
  ['libs/office/src/wopi-access.service.ts', "session.mayWrite && session.actor.kind === 'account'", 'true'],
  ['libs/office/src/repositories/wopi-token.repository.ts', "a.state = 'active' AND (a.expires_at", '(a.expires_at'],
  ['libs/office/src/repositories/wopi-token.repository.ts', 'AND w.expires_at > $2', 'AND $2::timestamptz IS NOT NULL'],
  ['libs/previews/src/previews.service.ts', "kind === 'pdf' && mark !== null", 'false'],
  ['libs/previews/src/preview-links.ts', '!timingSafeEqual(given, wanted) ||', ''],
  ['libs/accounts/src/authenticator.service.ts', "holder.state === 'active' &&", ''],
  ['libs/accounts/src/authenticator.service.ts', 'holder?.accountId !== accountId || !letsIn(holder, nowMs)', '!holder'],
  ['libs/tasks/src/task.service.ts', 'row?.accountId === actor.accountId', 'true'],
  ['libs/comments/src/comment.service.ts', 'if (seen.authorId !== actor.accountId) throw', 'if (false) throw'],
  ['libs/comments/src/comment.service.ts', 'seen.authorId !== actor.accountId && node.ownerId !== actor.accountId', 'false'],
  [
    'libs/archives/src/repositories/archive-stream.repository.ts',
    'WHERE private_hash = $2 AND account_id = $1 AND',
    'WHERE private_hash = $2 AND $1::bigint IS NOT NULL AND',
  ],
  [
    'libs/archives/src/repositories/archive-stream.repository.ts',
    'FROM archive_streams WHERE account_id = $1 AND guest',
    'FROM archive_streams WHERE $1::bigint IS NOT NULL AND guest',
  ],
];

const holdsOnce = (source, text) => source.split(text).length === 2;

/** Listed checks that are not (or more than once) where the list has them: the list must follow the code. */
export function lostChecks(root) {
  const sourceOf = (file) => (fs.existsSync(path.join(root, file)) ? fs.readFileSync(path.join(root, file), 'utf8') : '');
  return CHECKS.filter(([file, text]) => !holdsOnce(sourceOf(file), text)).map(([file, text]) => `${file}: ${text}`);
}

/** Instead of a call of AccessService: the answer that stops nobody. */
const WEAKENED = {
  require: () => 'Promise.resolve()',
  allowed: (nodes) => `Promise.resolve(new Set((${nodes}).map((node) => node.id)))`,
  verdicts: (nodes) => `Promise.resolve(new Map((${nodes}).map((node) => [node.id, 'allowed'])))`,
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
      if (weaken && /^(this\.)?access$/.test(expression.getText()) && node.arguments.length >= 2) {
        edits.push({ start: node.getStart(), end: node.end, text: node.getText(), change: weaken(node.arguments.at(-1).getText()) });
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
    return { start, end: start + text.length, text, change, same };
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
    if (!isPart && (isStatement || ts.isExpression(node))) host = { hostStart: node.getStart(), hostEnd: node.end, isStatement };
    ts.forEachChild(node, visit);
  };
  visit(tree);
  if (!host) throw new Error(`nothing around ${start}-${end}`);
  return host;
}
