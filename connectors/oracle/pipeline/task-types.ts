import type { TaskType } from './task-type.js';
import { ethabidecode, ethabidecodelog, ethabiencode, ethabiencode2 } from './tasks/abi.js';
import { conditional, divide, lessthan, multiply } from './tasks/arithmetic.js';
import { bridge } from './tasks/bridge.js';
import { estimategaslimit, ethcall, ethtx } from './tasks/chain.js';
import { http } from './tasks/http.js';
import { cborparse, jsonparse } from './tasks/parse.js';
import { any, mean, median, mode, sum } from './tasks/statistics.js';
import { fail, lookup, memo, merge } from './tasks/structure.js';
import { base64decode, base64encode, hexdecode, hexencode, length, lowercase, uppercase } from './tasks/text.js';

/** By the word after `type=`. */
export const taskTypes: Readonly<Record<string, TaskType>> = {
  any,
  base64decode,
  base64encode,
  bridge,
  cborparse,
  conditional,
  divide,
  estimategaslimit,
  ethabidecode,
  ethabidecodelog,
  ethabiencode,
  ethabiencode2,
  ethcall,
  ethtx,
  fail,
  hexdecode,
  hexencode,
  http,
  jsonparse,
  length,
  lessthan,
  lookup,
  lowercase,
  mean,
  median,
  memo,
  merge,
  mode,
  multiply,
  sum,
  uppercase,
};
