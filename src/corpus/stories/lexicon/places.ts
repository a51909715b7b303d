/** The places: where a thing may lie, what can be seen, heard and smelt there, and who or what may carry a thing off. */

export interface Place {
  word: string;
  /** "in" or "at" or "on", before "the orchard". */
  at: string;
  /** Where a thing may lie or a hero may look: prepositional phrases. */
  spots: readonly string[];
  /** What stands there: plural or mass noun phrases that take "were" never; used after "past", "by", "saw". */
  sights: readonly string[];
  /** What is heard: clauses in the past tense. */
  sounds: readonly string[];
  /** What it smelt of. */
  smells: readonly string[];
  /** What may carry a thing off: a subject. */
  takers: readonly string[];
}

function place(
  word: string,
  at: string,
  spots: string,
  sights: string,
  sounds: string,
  smells: string,
  takers: string,
): Place {
  const [s, v, h, m, t] = [spots, sights, sounds, smells, takers].map((text) => text.split("; ")) as string[][];
  return { word, at, spots: s!, sights: v!, sounds: h!, smells: m!, takers: t! };
}

export const PLACES: readonly Place[] = [
  place(
    "orchard",
    "in",
    "under the <hue> apple tree; behind the <hue> fruit ladder; beside the <hue> cider press; among the <hue> pears; inside @ <hue> trunk",
    "the <hue> apple rows; the <hue> cider press; the <hue> pear tree; the <hue> picking ladders",
    "wasps hummed <loud>; apples thumped down <loud>; a thrush sang <loud>",
    "ripe apples; cut hay; cider",
    "@ <mien> magpie; a gust of wind",
  ),
  place(
    "harbour",
    "at",
    "under @ <hue> boat; behind the <hue> crab pots; beside the <hue> crane; among the <hue> ropes; on the <hue> steps",
    "the <hue> fishing boats; the <hue> sea wall; the <hue> lobster pots; the red lighthouse",
    "gulls cried <loud>; masts creaked <loud>; waves slapped the stones <loud>",
    "salt; tar; seaweed",
    "@ <mien> gull; the tide",
  ),
  place(
    "meadow",
    "in",
    "under @ <hue> dock leaf; beside the <hue> stile; among the <hue> buttercups; behind @ <hue> haystack; near the <hue> molehills",
    "the <hue> buttercups; the <hue> stile; the <hue> grazing cows; the <hue> haystacks",
    "crickets chirped <loud>; a lark trilled <loud>; bees buzzed <loud>",
    "clover; warm grass; wild mint",
    "@ <mien> jackdaw; the summer breeze",
  ),
  place(
    "forest",
    "in",
    "under @ <hue> log; behind the <hue> boulder; between two <hue> birches; inside @ <hue> fox hole; beneath the <hue> ferns",
    "the <hue> pines; the <hue> boulders; the <hue> birches; the <hue> ferns",
    "a cuckoo called <loud>; branches sighed <loud>; woodpeckers tapped <loud>",
    "pine needles; damp moss; mushrooms",
    "@ <mien> jay; the night wind",
  ),
  place(
    "market",
    "at",
    "under the <hue> cheese stall; behind the <hue> flower cart; beside the <hue> fountain; between two <hue> barrels; among the <hue> cabbage crates",
    "the <hue> stalls; the <hue> fountain; the <hue> spice jars; the <hue> pottery cart",
    "sellers shouted <loud>; wheels rattled <loud>; coins clinked <loud>",
    "fresh bread; cinnamon; oranges",
    "@ <mien> dog; a rolling cart",
  ),
  place(
    "mill",
    "at",
    "under the <hue> grain chute; behind the <hue> wheel; beside the <hue> millpond; between two <hue> sacks; on the <hue> stairs",
    "the <hue> wheel; the <hue> mill pond; the <hue> grain sacks; the <hue> chute",
    "the wheel splashed <loud>; millstones rumbled <loud>; sparrows squabbled <loud>",
    "flour; wet wood; oats",
    "the mill stream; @ <mien> rat",
  ),
  place(
    "lake",
    "by",
    "under the <hue> jetty; among the <hue> reeds; behind the <hue> boathouse; beside @ <hue> stone; in the <hue> water",
    "the <hue> jetty; the <hue> reed beds; the <hue> boathouse; the <hue> water lilies",
    "ripples lapped <loud>; a heron croaked <loud>; oars dripped <loud>",
    "cool water; rushes; mud",
    "@ <mien> pike; the current",
  ),
  place(
    "hill",
    "on",
    "under @ <hue> gorse bush; beside the <hue> cairn; behind the <hue> oak; in @ <hue> rabbit burrow; near the <hue> goat path",
    "the <hue> cairn; the <hue> gorse bushes; the <hue> path; the <hue> oak",
    "a kestrel cried <loud>; goat bells jingled <loud>; the wind whistled <loud>",
    "heather; thyme; cold air",
    "@ <mien> crow; the strong wind",
  ),
  place(
    "garden",
    "in",
    "under the <hue> rhubarb; behind the <hue> poles; beside the <hue> sundial; among the <hue> rose bushes; inside @ <hue> flower pot",
    "the <hue> poles; the <hue> sundial; the <hue> rose bushes; the <hue> cabbage bed",
    "bees droned <loud>; a robin chirped <loud>; the water pump squeaked <loud>",
    "roses; wet earth; lavender",
    "@ <mien> blackbird; a gust of wind",
  ),
  place(
    "castle",
    "in",
    "under the <hue> throne; behind the <hue> curtain; beside the <hue> drawbridge; on the <hue> stairs; inside @ <hue> suit of armour",
    "the <hue> stairs; the <hue> moat; the <hue> curtains; the <hue> tower",
    "flags flapped <loud>; boots echoed <loud>; chains clanked <loud>",
    "old stone; candle wax; roast meat",
    "@ <mien> raven; the castle cat",
  ),
  place(
    "library",
    "in",
    "under the <hue> reading desk; behind the <hue> atlas shelf; beside the <hue> globe; between two <hue> dictionaries; on the highest shelf",
    "the <hue> shelves; the <hue> globe; the <hue> reading lamps; the <hue> map drawers",
    "pages rustled <loud>; a clock ticked <loud>; floorboards groaned <loud>",
    "old paper; leather; ink",
    "@ <mien> bookworm; the cleaning cart",
  ),
  place(
    "station",
    "at",
    "under the <hue> bench; behind the <hue> ticket window; beside the <hue> signal box; among the <hue> suitcases; on the <hue> platform",
    "the <hue> ticket window; the <hue> iron bridge; the <hue> signal lamps; the <hue> luggage carts",
    "a whistle blew <loud>; steam hissed <loud>; porters called <loud>",
    "coal smoke; hot iron; coffee",
    "the noon train; @ <mien> porter",
  ),
  place(
    "beach",
    "on",
    "under @ <hue> towel; behind the <hue> dunes; beside the <hue> rock pool; among the <hue> driftwood; in @ <hue> sand castle",
    "the <hue> rock pools; the <hue> dunes; the <hue> driftwood piles; the <hue> bathing huts",
    "waves boomed <loud>; children laughed <loud>; shells crunched <loud>",
    "sea spray; sun cream; hot sand",
    "a rough wave; @ <mien> sandpiper",
  ),
  place(
    "farm",
    "on",
    "under the <hue> hen house; behind the <hue> tractor; beside the <hue> trough; in the <hue> straw loft; among the <hue> milk churns",
    "the <hue> hen house; the <hue> yard; the <hue> milk churns; the <hue> straw loft",
    "hens clucked <loud>; pigs grunted <loud>; a rooster crowed <loud>",
    "straw; milk; manure",
    "@ <mien> piglet; @ <mien> calf",
  ),
  place(
    "bridge",
    "on",
    "under the <hue> middle arch; behind @ <hue> lamp post; beside the <hue> toll gate; between two <hue> railings; near the <hue> ivy wall",
    "the <hue> arches; the <hue> lamp posts; the <hue> toll gate; the <hue> river barges",
    "the river gurgled <loud>; hooves clopped <loud>; pigeons cooed <loud>",
    "river weed; wet stone; ivy",
    "the river; @ <mien> otter cub",
  ),
  place(
    "school",
    "at",
    "under the <hue> piano; behind the <hue> blackboard; beside the <hue> coat pegs; inside @ <hue> lunch box; in the <hue> chalk cupboard",
    "the <hue> blackboard; the <hue> coat pegs; the <hue> paint pots; the <hue> playground swing",
    "chalk squeaked <loud>; a bell rang <loud>; pupils giggled <loud>",
    "chalk dust; pencils; glue",
    "@ <mien> puppy; a gust from the window",
  ),
  place(
    "island",
    "on",
    "under @ <hue> palm leaf; behind the <hue> rocks; beside the <hue> campfire; in @ <hue> sea cave; among the <hue> coconuts",
    "the <hue> palm trees; the <hue> sea caves; the <hue> sand; the <hue> rocks",
    "surf roared <loud>; parrots squawked <loud>; crabs clicked <loud>",
    "coconut; salt wind; driftwood smoke",
    "@ <mien> parrot; the high tide",
  ),
  place(
    "barn",
    "in",
    "under the <hue> hay cart; behind the <hue> saddle rack; beside the <hue> bin; on @ <hue> beam; inside @ <hue> barrel",
    "the <hue> hay bales; the <hue> saddle rack; the <hue> beams; the <hue> oat bins",
    "swallows twittered <loud>; a horse stamped <loud>; hinges squeaked <loud>",
    "hay; saddle soap; grain",
    "@ <mien> goat; @ <mien> barn rat",
  ),
  place(
    "cave",
    "in",
    "under @ <hue> ledge; behind the <hue> rocks; beside the <hue> pool; in @ <hue> crack; among the <hue> crystals",
    "the <hue> rocks; the <hue> wall; the <hue> pool; the <hue> ledges",
    "water dripped <loud>; bats fluttered <loud>; echoes whispered <loud>",
    "wet rock; cold clay; old smoke",
    "an underground stream; @ <mien> bat",
  ),
  place(
    "village square",
    "in",
    "under the <hue> oak bench; behind the <hue> well; beside the <hue> baker's door; among the <hue> bicycles; near the <hue> statue",
    "the <hue> well; the <hue> statue; the <hue> chestnut trees; the <hue> baker's window",
    "church bells chimed <loud>; neighbours chatted <loud>; pigeons flapped <loud>",
    "hot chestnuts; soap; apple pie",
    "@ <mien> dog; a whirling wind",
  ),
  place(
    "workshop",
    "in",
    "under the <hue> workbench; behind the <hue> paint tins; beside the <hue> vice; in @ <hue> nail drawer; among the <hue> shavings",
    "the <hue> workbench; the <hue> paint tins; the <hue> saws; the <hue> tool rack",
    "hammers knocked <loud>; a saw rasped <loud>; glue bubbled <loud>",
    "sawdust; varnish; machine oil",
    "@ <mien> cat; the shop broom",
  ),
  place(
    "marsh",
    "in",
    "under the <hue> path; among the <hue> bulrushes; behind @ <hue> willow stump; beside the <hue> pool; in @ <hue> tuft of sedge",
    "the <hue> path; the <hue> bulrushes; the <hue> willow stumps; the <hue> pools",
    "frogs croaked <loud>; a curlew piped <loud>; mud bubbled <loud>",
    "peat; wild iris; mist",
    "@ <mien> heron; the brown water",
  ),
  place(
    "kitchen",
    "in",
    "under the <hue> table; behind the <hue> flour bin; beside the <hue> stove; inside the <hue> pan; on the <hue> plate rack",
    "the <hue> pans; the <hue> stove; the <hue> plate rack; the <hue> onions",
    "a kettle sang <loud>; soup bubbled <loud>; spoons clattered <loud>",
    "ginger; toast; onion soup",
    "@ <mien> cat; the dustpan",
  ),
  place(
    "valley",
    "in",
    "under the <hue> footbridge; behind the <hue> sheepfold; beside the <hue> waterfall; among the <hue> foxgloves; near the <hue> boundary stone",
    "the <hue> waterfall; the <hue> sheepfold; the <hue> foxgloves; the <hue> footbridge",
    "sheep bleated <loud>; the brook babbled <loud>; a distant horn blew <loud>",
    "foxgloves; wet wool; peat smoke",
    "@ <mien> eagle; the quick brook",
  ),
];
