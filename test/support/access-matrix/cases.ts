import { linkCases, shareHashCases } from './doors.js';
import { type Case, gridCases } from './grid.js';
import { handleCases, keepsakeCases } from './handles.js';
import { setCases } from './lists.js';
import { rulerCases } from './rulers.js';

/** All questions of the matrix. */
export function allCases(): Case[] {
  return [...keepsakeCases(), ...gridCases(), ...linkCases(), ...shareHashCases(), ...setCases(), ...handleCases(), ...rulerCases()];
}
