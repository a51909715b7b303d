/** Adjectives by what they describe, adverbs and time phrases. */
import { list } from "./list.js";

export const QUALITIES = {
  personAdj:
    list(`angry, anxious, ambitious, arrogant, bald, blind, boring, brave, bright, brilliant, calm, careful, careless, charming, cheerful, clever, clumsy, confident, cruel, curious, deaf, elderly, elegant, energetic,
    faithful, famous, foolish, friendly, funny, generous, gentle, graceful, greedy, grumpy, handsome, hard-working, helpful, honest, humble, ill, impatient, innocent, intelligent, jealous, kind, lazy, lonely, loyal, mad, mean, modest, nervous, noisy, odd,
    old, optimistic, patient, polite, poor, popular, practical, proud, quiet, rich, rude, sensible, sensitive, serious, shy, silly, skilled, slim, smart, stubborn, stupid, talented, tall, thin, tidy, tough, unlucky, untidy, wealthy, wise, young, strict, ruthless, witty`),
  feeling:
    list(`afraid, alone, amazed, angry, annoyed, ashamed, asleep, bored, busy, calm, certain, comfortable, confused, delighted, depressed, desperate, disappointed, drunk, embarrassed, excited, exhausted, frightened, furious, glad, grateful, guilty, happy, hopeful, hungry, hurt, ill, jealous, late, lonely, lost, miserable,
    nervous, pleased, proud, relieved, sad, safe, satisfied, scared, shocked, sick, sleepy, sorry, surprised, thirsty, tired, uncomfortable, unhappy, upset, wet, worried, homesick, restless`),
  thingAdj:
    list(`ancient, antique, attractive, beautiful, big, black, blue, broken, brown, cheap, clean, common, cracked, dark, dirty, dusty, empty, enormous, expensive, fancy, fine, fragile, gigantic, golden, good, green, grey, heavy, huge, large, light, little, long, lovely, massive, modern,
    narrow, neat, new, nice, ordinary, old, old-fashioned, perfect, plain, precious, pretty, rare, red, round, rusty, second-hand, sharp, shiny, short, simple, small, solid, special, square, strange, strong, terrible, thick, tiny, ugly, unusual, useful, useless, valuable, white, wide, wonderful, wooden, worn, yellow, steel, spare`),
  animalAdj: list(
    "angry, beautiful, big, black, brown, clever, fat, fierce, frightened, furry, grey, hungry, huge, lazy, little, old, sleepy, small, strange, tame, thin, tiny, ugly, white, wild, wounded, young, dead, rare, playful",
  ),
  natureAdj: list(
    "beautiful, big, black, blue, calm, cold, dark, deep, distant, empty, enormous, frozen, golden, green, grey, high, huge, little, lovely, old, red, steep, strange, small, white, wide, wild, yellow, pale, bright",
  ),
  placeAdj: list(
    `abandoned, busy, crowded, empty, famous, local, modern, new, nearest, noisy, old, peaceful, quiet, private, public, royal, empty, dangerous, remote, lively, historic, central, main, national, big, small, beautiful, ugly, medieval, tropical, sunny, gloomy, magnificent, deserted`,
  ),
  foodAdj: list(
    "bitter, burnt, cold, cooked, creamy, crisp, delicious, fresh, fried, frozen, greasy, home-made, hot, juicy, mild, raw, ripe, rotten, salty, smoked, sour, spicy, stale, sticky, sweet, tasty, tender, warm, wonderful, horrible, vegetarian, organic, healthy",
  ),
  ideaAdj:
    list(`absurd, accurate, alternative, bad, basic, brilliant, central, clear, common, complex, complicated, confusing, controversial, convincing, correct, crazy, crucial, current, dangerous, deep, difficult, dull, early, easy, excellent, exciting, fair, false, familiar, final, financial, foreign, formal, general, global, hard, historical,
    immediate, important, impossible, impressive, independent, interesting, international, latest, legal, logical, long, medical, military, minor, moral, mysterious, natural, necessary, obvious, official, original, personal, political, possible, powerful, radical, real, recent, relevant, religious, ridiculous, scientific, secret, sensible, shameful, simple, social, stressful, sudden,
    surprising, terrible, traditional, true, typical, unfair, unusual, urgent, vague, weak, wrong`),
  weatherAdj: list(
    "bright, chilly, cloudy, cold, cool, damp, dark, dry, dull, foggy, freezing, frosty, hot, humid, icy, misty, rainy, snowy, stormy, sunny, warm, wet, windy, mild, pleasant",
  ),
  manner:
    list(`accidentally, angrily, anxiously, badly, boldly, bravely, briefly, calmly, carefully, carelessly, cheerfully, cleverly, deliberately, eagerly, easily, finally, firmly, foolishly, gently, gladly, gracefully, happily, hastily, honestly, immediately, kindly, loudly, nervously, openly, patiently, perfectly, politely,
    promptly, proudly, quickly, quietly, rapidly, reluctantly, rudely, sadly, secretly, seriously, silently, slowly, smoothly, softly, suddenly, thoroughly, together, warmly, well`),
  opener: list(
    "actually, apparently, clearly, fortunately, frankly, generally, honestly, in fact, in my opinion, luckily, maybe, normally, of course, perhaps, sadly, strangely enough, surprisingly, to be honest, unfortunately, for once, by the way, as usual, according to the news, officially, basically, obviously",
  ),
  degree: list(
    "very, quite, rather, really, so, too, extremely, a bit, completely, fairly, pretty, terribly, incredibly",
  ),
  often: list(
    "always, often, usually, never, sometimes, rarely, hardly ever, seldom, still, occasionally, regularly, frequently",
  ),
  habit: list(
    "every day, every morning, every night, every week, on Sundays, at weekends, once a week, twice a year, in the evening, in summer, in winter, after work, before breakfast, all the time, on weekdays, during the holidays, most afternoons, three times a week, every other day, at lunchtime",
  ),
  ago: list(`yesterday, last night, last week, last month, last year, last summer, last winter, this morning, two days ago, a week ago, an hour ago, years ago, a long time ago, recently, the day before yesterday, in the end, at noon, at midnight, in the middle of the night, during the war, after lunch,
    before dinner, before dawn, all day, all afternoon, for hours, for several years, in autumn, last spring, over the weekend, during the storm, after the meeting, before the election, a century ago, the other day, at dawn, on the way home, for the first time, in those days, again`),
  soon: list(
    "tomorrow, tonight, next week, next month, next year, soon, later, in a minute, this evening, this weekend, in an hour, after lunch, next summer, the day after tomorrow, at the end of the month, before Christmas, in the spring, one day, sooner or later, after the holidays, by the end of the year, tomorrow morning",
  ),
  now: list(
    "now, today, at the moment, right now, these days, this week, again, this afternoon, upstairs, next door, outside",
  ),
  day: list("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
  month: list("January, February, March, April, May, June, July, August, September, October, November, December"),
  ordinal: list("first, second, third, fourth, fifth, sixth, seventh, tenth, last, next, twelfth, twentieth"),
};
