import { apiCases } from './apis/index.js';
import { linkCases, shareHashCases } from './doors.js';
import { type Case, gridCases } from './grid.js';
import { dedupCases, handleCases, keepsakeCases } from './handles.js';
import { isolationCases } from './isolation.js';
import { setCases } from './lists.js';
import { policyCases } from './policies.js';
import { rulerCases } from './rulers.js';

/** All questions of the matrix. Those about checksums come before anybody has copies of his own. */
export function allCases(): Case[] {
  return [
    ...dedupCases(),
    ...keepsakeCases(),
    ...gridCases(),
    ...apiCases(),
    ...linkCases(),
    ...shareHashCases(),
    ...setCases(),
    ...handleCases(),
    ...rulerCases(),
    ...policyCases(),
    ...isolationCases(),
  ];
}
