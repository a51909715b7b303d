/** Word tables that fit any scene: times, manners, weather, traits, small sights, kin and the like; entries may draw from other tables. */

import { BOYS, GIRLS } from "./names.js";

const phrases = (text: string): readonly string[] => text.trim().split(/\s*[;\n]\s*/);
const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const WORDS = {
  tone: phrases("softly;quietly;gently;kindly;at once;with a smile;with a laugh;with a nod;in a whisper;after a while"),
  hue: list(
    "old new little big small tall wide narrow round broken empty red blue green yellow white black brown grey",
  ),
  mien: list("little big old young small fat thin lame lost hungry sleepy shy brown grey black white spotted striped"),
  dish: list("hot cold warm fresh leftover"),
  loud: phrases(
    "far off;close by;all day;now and then;once more;in the distance;nearby;again and again;here and there;outside;till dusk;for a while",
  ),
  trait: list(`
    patient clever cheerful stubborn shy careful honest dreamy busy gentle lively polite curious thoughtful clumsy
    generous tidy quiet sleepy sensible jolly nimble friendly forgetful gruff hasty lazy loyal playful proud serious
    talkative timid vain wise bold eager absent-minded lonely`),
  time: [
    ...list("morning evening afternoon night day").map((part) => `one <spell> ${part}`),
    ...list("spring summer autumn winter").map((season) => `one ${season}`),
    ...list(
      "Monday Tuesday Wednesday Thursday Friday Saturday Sunday holiday birthday feast_day market_day school_day washing_day baking_day",
    ).map((day) => `on @ <spell> ${day.replace("_", " ")}`),
    ...list(
      "dinner supper breakfast lunch the_wedding the_picnic the_harvest the_party a_nap a_walk the_concert school",
    ).map((event) => `after ${event.replace("_", " ")}`),
    ...list("January February March April May June July August September October November December").map(
      (month) => `in ${month}`,
    ),
  ],
  often: [
    ...list("Mondays Tuesdays Wednesdays Thursdays Fridays Saturdays Sundays holidays market_days").map(
      (day) => `on ${day.replace("_", " ")}`,
    ),
    ...list(
      "spring summer autumn winter January February March April May June July August September October November December",
    ).map((part) => `in ${part}`),
    ...list("breakfast lunch dinner supper school").map((event) => `after ${event}`),
  ],
  spell: list("cold warm sunny windy rainy cloudy foggy bright"),
  weather: phrases(`
    rain fell;snow fell;hail fell;the sun shone;mist drifted over the fields;the wind blew;fog hung over the roofs;thunder rolled;dew glittered on the grass;frost sparkled on the windows;the stars shone
    a breeze stirred the grass;leaves whirled in the air;the moon rose;drizzle fell;puddles shone in the road;clouds gathered;lightning flickered far away;icicles dripped from the roofs;dust blew down the road;shadows moved over the ground;sunbeams slanted down
    the sky darkened;the sky cleared;the rain stopped;mist rose from the river;the snow melted;the clouds parted;hail rattled on the roofs;sleet fell;the wind sighed in the trees;the fog lifted;the sun sank;the sun rose;a rainbow stood in the sky
    frost melted on the grass;ice cracked on the ponds;smoke curled from the chimneys;the storm passed;dusk fell;the evening grew cool;darkness crept over the hills;seeds floated past;petals fell;moonlight lay on the roofs`),
  sky: list("pale golden cloudy starry clear stormy rosy blue grey dark bright red pink violet orange"),
  gift: phrases(`
    a <hue> candle;a <hue> basket of figs;a <dish> plum tart;a <hue> button;a <hue> stone;a <hue> feather;a <hue> egg;a <dish> pie
    a <hue> ribbon end;a jar of <dish> pickles;a bag of <dish> peas;a <hue> pressed flower;a <dish> honey cake;a <dish> cherry bun
    a <hue> knitted cap;a <hue> sock;a pot of <dish> soup;a <hue> marble;a bunch of <hue> violets;a <hue> picture;a <hue> shell
    a <hue> walnut;a <dish> muffin;a <hue> glass bead;a <hue> pot of ink;a <dish> biscuit;a <hue> whisk;a <hue> bookmark;a <hue> nutcracker;a <hue> thimble;a <hue> spool;a <hue> pencil;a <hue> jar;a <hue> ring;a <hue> ball of wool;a <hue> comb case;a <hue> toy soldier;a <hue> mitten;a <hue> purse;a <hue> lamp;a <hue> box of chalk;a <hue> fan;a <hue> mug;a <hue> apron;a <hue> pebble;a <hue> puppet;a <dish> pastry;a bag of <dish> nuts;a jar of <dish> honey;a <dish> waffle;a <hue> flower pot;a <hue> pipe;a <hue> card;a <hue> trumpet;a <hue> poem;a <hue> plume;a <hue> tassel;a <hue> badge;a <hue> snow globe;a <hue> pin`),
  tool: phrases(`
    a <hue> stick;a <hue> cord;a <hue> nail;a <hue> pole;a <hue> knife;a <hue> rag;a <hue> hook;a <hue> bucket;a <hue> broom;a <hue> plank
    a pair of <hue> tongs;a <hue> net;a <hue> spade;a <hue> strap;a <hue> wheelbarrow;a <hue> duster;a <hue> crowbar;a <hue> rake;a <hue> file;a <hue> shovel
    a <hue> wedge;a <hue> hammer;a <hue> wire;a <hue> chain;a <hue> saw;a <hue> lever;a <hue> fork;a <hue> brush;a <hue> needle;a <hue> trowel;a <hue> clamp;a <hue> spoon;a <hue> mallet;a <hue> chisel;a <hue> sieve;a <hue> funnel;a <hue> scraper;a <hue> ladle;a <hue> hoe`),
  glue: phrases(
    "glue;thread;pine sap;a pin;beeswax;a strip of leather;copper wire;flour paste;a screw;a peg;fish glue;string;tape;a rivet;resin;a bandage",
  ),
  creature: list(
    "snail beetle moth ladybird lizard cricket wren spider caterpillar toad pigeon worm butterfly kitten bumblebee newt finch rabbit sparrow hen donkey gosling vole weasel lamb pony dormouse robin bat chick rook mole grasshopper dove raven crow magpie gull thrush lark starling blackbird swallow bee wasp ant dragonfly hamster puppy piglet foal ferret cockerel canary",
  ).map((word) => `a <mien> ${word}`),
  kin: list(
    "aunt uncle grandmother grandfather cousin godmother neighbour teacher godfather nurse mother father brother sister niece nephew",
  ),
  went: list(
    "walked hurried wandered marched strolled skipped hopped trotted ran plodded dashed stepped tiptoed strode rushed crept scampered climbed",
  ),
  said: list("called whispered murmured declared cried sighed announced exclaimed laughed muttered"),
  looked: phrases("looked;peeped;searched;felt about;hunted;poked about;peered;checked;rummaged"),
  took: list("hours days mornings evenings nights weeks afternoons").flatMap((span) =>
    list("two three four five six seven").map((count) => `${count} ${span}`),
  ),
  good: list("kind wise loyal good helpful merry faithful cheerful brave patient gentle clever friendly honest"),
  size: list(
    "small large round flat narrow wide steep deep rough muddy grassy sandy stony slippery crooked long short",
  ),
  meal: list(
    "bread cheese soup pancakes apples pie porridge cake mushrooms cabbage jam noodles beans cherries chestnuts waffles turnips rice carrots pears custard pudding potatoes toast plums omelette dumplings radishes berries stew onions",
  ).map((word) => `<dish> ${word}`),
  game: phrases(
    "hide and seek;chess;leapfrog;cards;marbles;skipping;catch;charades;tug of war;dominoes;hopscotch;skittles;tag;draughts;hoops;darts;bowls;ludo;snap;soldiers;pirates;shop;dressing up",
  ),
  sleepy: phrases(
    "yawned;curled up;sank into the pillow;closed both eyes;pulled up the quilt;breathed deeply;nodded off;snuggled down;blinked;stretched;lay down;fell silent;drifted away;grew drowsy;dozed;went limp",
  ),
  lull: phrases(
    "the moon;an owl;the night wind;a star;the rain;the clock;the river;a cricket;the dark;a lullaby;the night;a nightingale",
  ),
  reason: [
    ...list(
      "doctor singer farmer grocer barber teacher poet clerk builder butcher cobbler dancer driver juggler knitter nurse pilot piper porter rider smith waiter",
    ).map((trade) => `<person> the ${trade}`),
    ...list("neighbour cousin friend guest pupil").map((each) => `{his} ${each} <person>`),
  ],
  villager: list(
    "doctor singer farmer grocer barber teacher poet clerk builder butcher cobbler nurse porter smith",
  ).map((trade) => `<person> the ${trade}`),
  person: [...GIRLS, ...BOYS],
  prop: list(`
    bench barrel crate wall post bucket sack stool board basket box rope gate heap chest trough tub shelf sign broom ladder
    pail cart bin hamper mat stone plank trunk rug log branch brick bundle cask crock cushion door fence jar lamp pillar
    pole stump table window`),
  cry: list("stirred slept rested hid waited watched listened woke yawned sneezed wandered hurried sat dozed played"),
  flaw: list(
    "thin short weak loose heavy stiff soft wobbly brittle small large lumpy bent rough tight flimsy narrow light thick",
  ).map((word) => `too ${word}`),
  cheap: phrases("too little;not enough;too old;too small;too plain"),
  feeble: list("small weak slow shy sleepy young frightened").map((word) => `too ${word}`),
  pace: phrases(
    "step by step;bit by bit;side by side;inch by inch;little by little;without a word;in no time;at last;with a smile;with a laugh;with a song;with a shout",
  ),
  mood: list(`
    glum cross worried upset puzzled restless gloomy tearful uneasy moody grumpy miserable bitter troubled anxious sulky
    downcast ashamed helpless weary angry confused disappointed desperate forlorn frightened hopeless hurt nervous
    startled tense unhappy wistful wretched`),
} as const satisfies Record<string, readonly string[]>;
