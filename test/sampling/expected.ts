/**
 * What each sampler does with two steps, two drafts and spans of four tokens. P and Q are prompts, C the context, X and Y examples of
 * a task, S a start, T a terminal; written texts are a, b, c, ... The weights and lengths are MiniHF's (vae_infer.py).
 */
import type { LatentRole } from "../../src/sampling/model.js";
import type { SamplerName } from "../../src/sampling/samplers.js";

/** ^ is the beginning token, ~ a line break. Lengths that are restored show as weights: guide's 0.85 and 0.15 become 0.985 and 0.174. */
export const EXPECTED: Record<SamplerName, string> = {
  generate: `
    z1 = ^ P0-5
    a = z1: 16 after ^ C0-1
    z2 = a8-15
    b = z2: 16 after ^ C0-1 ^ P0-5
    yields a0-0 . a2-15 | b0-0 . b2-15
    returns ^ C0-1 ^ P0-5 a8-15
  `,
  guide: `
    z1 = P0-5
    z2 = P0-5
    a = 0.174 z1 + 0.985 z2: 8 after C0-1
    z3 = a4-7
    b = 0.174 z1 + 0.985 z3: 8 after C0-1 a0-0 . a2-3
    yields a0-0 . a2-7 | b0-0 . b2-7
    returns C0-1 a0-0 . a2-3 b0-0 . b2-3
  `,
  prose: `
    z1 = P0-5
    z2 = P0-5
    a = 0.174 z1 + 0.985 z2: 8 after C0-1
    z3 = a4-7
    b = 0.174 z1 + 0.985 z3: 8 after C0-1 a0-0 . a2-3
    z4 = b0-0 . ~ ~
    c = z4: 8 after C0-1 a0-0 . a2-3
    yields a0-0 . a2-7 | b0-0 . b2-7 | c0-0 . c2-7
    returns C0-1 a0-0 . a2-3 c0-0 . c2-3
    next c4-7
  `,
  task: `
    z1 = P0-5
    z2 = X0-3
    z3 = Y0-2
    z4 = P0-5
    a = 0.13 z1 + 0.138 z2 + 0.138 z3 + 0.972 z4: 8 after ^ C0-1
    z5 = a4-7
    b = 0.13 z1 + 0.138 z2 + 0.138 z3 + 0.972 z5: 8 after ^ C0-1 a0-0 . a2-3
    yields a0-0 . a2-7 | b0-0 . b2-7
    returns ^ C0-1 a0-0 . a2-3 b0-0 . b2-7
  `,
  paragraph: `
    z1 = ^ P0-5
    z2 = X2-5
    z3 = ^ Y0-2
    z4 = ^ P0-5
    a = 0.2 z1 + 0.1 z2 + 0.1 z3 + 0.7 z4: 8 after ^ C0-1
    b = 0.2 z1 + 0.1 z2 + 0.1 z3 + 0.7 z4: 8 after ^ C0-1
    z5 = a4-7
    z6 = b4-7
    c = 0.2 z2 + 0.2 z3 + 0.4 z5 + 0.4 z6: 4 after ^ C0-1
    z7 = c0-0 . c2-3
    d = 0.2 z1 + 0.1 z2 + 0.1 z3 + 0.7 z7: 8 after ^ C0-1 ^ P0-5
    e = 0.2 z1 + 0.1 z2 + 0.1 z3 + 0.7 z7: 8 after ^ C0-1 ^ P0-5
    z8 = d4-7
    z9 = e4-7
    f = 0.2 z2 + 0.2 z3 + 0.4 z8 + 0.4 z9: 4 after ^ C0-1 ^ P0-5
    g = 0.2 z2 + 0.2 z3 + 0.25 z5 + 0.25 z6 + 0.15 z8 + 0.15 z9: 8 after ^ C0-1 ^ P0-5 c0-0 . c2-3 ^ ~ ~, tau 1
    yields c0-0 . c2-3 | f0-0 . f2-3 | g0-0 . g2-7
    returns ^ C0-1 ^ P0-5 c0-0 . c2-3
    next ~ ~ g0-0 . g2-7
  `,
  "paragraph-topic": `
    z1 = P0-5
    z2 = X0-3
    z3 = Y0-2
    a = z1: 8 after C0-1, cfg 1.25
    z4 = a4-7
    b = 0.13 z1 + 0.138 z2 + 0.138 z3 + 0.972 z4: 8 after C0-1 a0-0 . a2-3, cfg 1.25
    z5 = b0-0 . ~ ~
    c = z5: 8 after C0-1 a0-0 . a2-3, cfg 1.25
    yields a0-0 . a2-7 | b0-0 . b2-7 | c0-0 . c2-7
    returns C0-1 a0-0 . a2-3 c0-0 . c2-3
    next c4-7
  `,
  avg: `
    z1 = ^ P0-5
    z2 = ^ P0-5
    a = 0.5 z1 + 0.5 z2: 16 after ^ C0-1
    b = 0.5 z1 + 0.5 z2: 16 after ^ C0-1
    z3 = a8-15
    z4 = b8-15
    c = 0.3 z1 + 0.35 z3 + 0.35 z4: 8 after ^ C0-1
    z5 = c0-0 . c2-7
    d = 0.5 z1 + 0.5 z5: 16 after ^ C0-1 ^ P0-5
    e = 0.5 z1 + 0.5 z5: 16 after ^ C0-1 ^ P0-5
    z6 = d8-15
    z7 = e8-15
    f = 0.3 z1 + 0.35 z6 + 0.35 z7: 8 after ^ C0-1 ^ P0-5
    yields c0-0 . c2-7 | f0-0 . f2-7
    returns ^ C0-1 ^ P0-5 c0-0 . c2-7
  `,
  "user-avg": `
    z1 = ^ P0-5
    z2 = ^ Q0-2
    a = 0.5 z1 + 0.5 z2: 8 after ^ C0-1, tau 1
    yields a0-0 . a2-7
    returns ^ C0-1 a0-0 . a2-7
  `,
  plan: `
    z1 = T0-2
    z2 = S0-2
    z3 = X0-3
    z4 = Y0-2
    a = 0.8 z2 + 0.141 z3 + 0.141 z4: 8 after C0-1
    b = 0.8 z2 + 0.141 z3 + 0.141 z4: 8 after C0-1
    z5 = a4-7
    z6 = b4-7
    c = 0.052 z1 + 0.499 z5 + 0.499 z6: 4 after C0-1
    z7 = c0-0 . c2-3
    d = z7: 8 after C0-1 c0-0 . c2-3
    e = z7: 8 after C0-1 c0-0 . c2-3
    z8 = d4-7
    z9 = e4-7
    f = 0.081 z1 + 0.497 z8 + 0.497 z9: 4 after C0-1 c0-0 . c2-3
    yields c0-0 . c2-3 | f0-0 . f2-3
    returns C0-1 c0-0 . c2-3 f0-0 . f2-3
  `,
  "plan-2": `
    z1 = T0-2
    z2 = S0-2
    z3 = X0-3
    z4 = Y0-2
    a = 0.089 z1 + 0.881 z2 + 0.156 z3 + 0.156 z4: 8 after C0-1
    z5 = a4-7
    b = 0.11 z1 + 0.994 z5: 8 after C0-1 a0-0 . a2-3
    yields a0-0 . a2-7 | b0-0 . b2-7
    returns C0-1 a0-0 . a2-3 b0-0 . b2-3
  `,
  policy: `
    z1 = C0-1
    a = base: 4 after ^ C0-1, endless
    b = base: 4 after ^ C0-1, endless
    z2 = a0-0 . a2-3
    z3 = b0-0 . b2-3
    c = 0.35 z2 + 0.35 z3 + 0.3 z31: 4 after ^ C0-1, endless
    d = 0.35 z2 + 0.35 z3 + 0.3 z31: 4 after ^ C0-1, endless
    z4 = c0-0 .
    z5 = d0-0 .
    score c0-0 . from 0.35 z2 + 0.35 z3 + 0.3 z31 after ^ C0-1
    score d0-0 . from 0.35 z2 + 0.35 z3 + 0.3 z31 after ^ C0-1
    e = base: 4 after ^ C0-1 c0-0 ., endless
    f = base: 4 after ^ C0-1 c0-0 ., endless
    z6 = e0-0 . e2-3
    z7 = f0-0 . f2-3
    g = 0.245 z6 + 0.245 z7 + 0.51 z31: 4 after ^ C0-1 c0-0 .
    h = 0.245 z6 + 0.245 z7 + 0.51 z31: 4 after ^ C0-1 c0-0 .
    z8 = g0-0 .
    z9 = h0-0 .
    score g0-0 . from 0.245 z6 + 0.245 z7 + 0.51 z31 after ^ C0-1 c0-0 .
    score h0-0 . from 0.245 z6 + 0.245 z7 + 0.51 z31 after ^ C0-1 c0-0 .
    yields c0-0 . | g0-0 .
    returns ^ C0-1 c0-0 . g0-0 .
  `,
  bridge: `
    z1 = S0-2
    z2 = T0-2
    z3 = C1-1 S0-2
    a = base: 4 after ^ C0-1 S0-2, endless
    b = base: 4 after ^ C0-1 S0-2, endless
    z4 = a0-0 . a2-3
    z5 = b0-0 . b2-3
    c = 0.626 z1 + 0.313 z2 + 0.15 z4 + 0.15 z5: 4 after ^ C0-1 S0-2, endless
    d = 0.626 z1 + 0.313 z2 + 0.15 z4 + 0.15 z5: 4 after ^ C0-1 S0-2, endless
    z6 = c0-0 .
    z7 = d0-0 .
    score c0-0 . from 0.626 z1 + 0.313 z2 + 0.15 z4 + 0.15 z5 after ^ C0-1 S0-2
    score d0-0 . from 0.626 z1 + 0.313 z2 + 0.15 z4 + 0.15 z5 after ^ C0-1 S0-2
    e = base: 4 after ^ C0-1 S0-2 c0-0 ., endless
    f = base: 4 after ^ C0-1 S0-2 c0-0 ., endless
    z8 = e0-0 . e2-3
    z9 = f0-0 . f2-3
    g = 0.313 z1 + 0.626 z2 + 0.15 z8 + 0.15 z9: 4 after ^ C0-1 S0-2 c0-0 .
    h = 0.313 z1 + 0.626 z2 + 0.15 z8 + 0.15 z9: 4 after ^ C0-1 S0-2 c0-0 .
    z10 = g0-0 .
    z11 = h0-0 .
    score g0-0 . from 0.313 z1 + 0.626 z2 + 0.15 z8 + 0.15 z9 after ^ C0-1 S0-2 c0-0 .
    score h0-0 . from 0.313 z1 + 0.626 z2 + 0.15 z8 + 0.15 z9 after ^ C0-1 S0-2 c0-0 .
    yields c0-0 . | g0-0 .
    returns ^ C0-1 S0-2 c0-0 . g0-0 .
  `,
  "plan-search": `
    z1 = T0-2
    a = random: 8 after C0-1
    score a0-0 . a2-3 from random after C0-1
    b = random: 8 after C0-1
    z2 = b4-7
    c = 0.5 z1 + 0.5 z2: 8 after C0-1 b0-0 . b2-3
    score b0-0 . b2-3 from random after C0-1
    score c0-0 . c2-3 from 0.5 z1 + 0.5 z2 after C0-1 b0-0 . b2-3
    yields a0-0 . a2-7
    returns C0-1 a0-0 . a2-3
  `,
};

/** Every text ends after three tokens: what was not written is not encoded, and a text without a second span is the last. */
export const EXPECTED_EARLY: Partial<Record<SamplerName, string>> = {
  guide: `
    z1 = P0-5
    z2 = P0-5
    a = 0.174 z1 + 0.985 z2: 8 after C0-1
    yields a0-0 . a2-2
    returns C0-1 a0-0 . a2-2
  `,
  prose: `
    z1 = P0-5
    z2 = P0-5
    a = 0.174 z1 + 0.985 z2: 8 after C0-1
    z3 = a0-0 . ~ ~
    b = z3: 8 after C0-1
    yields a0-0 . a2-2 | b0-0 . b2-2
    returns C0-1 b0-0 . b2-2
  `,
  task: `
    z1 = P0-5
    z2 = X0-3
    z3 = Y0-2
    z4 = P0-5
    a = 0.13 z1 + 0.138 z2 + 0.138 z3 + 0.972 z4: 8 after ^ C0-1
    yields a0-0 . a2-2
    returns ^ C0-1 a0-0 . a2-2
  `,
  "paragraph-topic": `
    z1 = P0-5
    z2 = X0-3
    z3 = Y0-2
    a = z1: 8 after C0-1, cfg 1.25
    z4 = a0-0 . ~ ~
    b = z4: 8 after C0-1, cfg 1.25
    yields a0-0 . a2-2 | b0-0 . b2-2
    returns C0-1 b0-0 . b2-2
  `,
  avg: `
    z1 = ^ P0-5
    z2 = ^ P0-5
    a = 0.5 z1 + 0.5 z2: 16 after ^ C0-1
    b = 0.5 z1 + 0.5 z2: 16 after ^ C0-1
    z3 = a0-0 . a2-2
    z4 = b0-0 . b2-2
    c = 0.3 z1 + 0.35 z3 + 0.35 z4: 8 after ^ C0-1
    z5 = c0-0 . c2-2
    d = 0.5 z1 + 0.5 z5: 16 after ^ C0-1 ^ P0-5
    e = 0.5 z1 + 0.5 z5: 16 after ^ C0-1 ^ P0-5
    z6 = d0-0 . d2-2
    z7 = e0-0 . e2-2
    f = 0.3 z1 + 0.35 z6 + 0.35 z7: 8 after ^ C0-1 ^ P0-5
    yields c0-0 . c2-2 | f0-0 . f2-2
    returns ^ C0-1 ^ P0-5 c0-0 . c2-2
  `,
  "plan-2": `
    z1 = T0-2
    z2 = S0-2
    z3 = X0-3
    z4 = Y0-2
    a = 0.089 z1 + 0.881 z2 + 0.156 z3 + 0.156 z4: 8 after C0-1
    yields a0-0 . a2-2
    returns C0-1 a0-0 . a2-2
  `,
};

/** Of which roles of latents the mean is taken; all others are draws. */
export const MEANS: Partial<Record<SamplerName, readonly LatentRole[]>> = {
  task: ["task"],
  "paragraph-topic": ["prompt", "task", "span"],
  plan: ["task"],
  "plan-2": ["start", "task", "terminal", "span"],
  policy: ["draft", "waypoint"],
  bridge: ["draft", "start", "terminal"],
};
