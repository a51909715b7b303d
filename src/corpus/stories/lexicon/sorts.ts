/** The sorts of heroes and friends: trades and animals, with what each does by habit and the tool or treat each carries. */

export interface Sort {
  word: string;
  animal: boolean;
  /** What the hero did by habit: past tense, "{his}" for the owner. */
  habits: readonly string[];
  /** What the hero carried: a noun phrase. */
  carries: readonly string[];
}

function sort(word: string, animal: boolean, habits: string, carries: string): Sort {
  return { word, animal, habits: habits.split("; "), carries: carries.split("; ") };
}

export const SORTS: readonly Sort[] = [
  sort(
    "baker",
    false,
    "kneaded dough; baked plum buns; swept flour from the step; set loaves out to cool",
    "@ <hue> apron; @ <hue> bun; @ <hue> bag of rolls",
  ),
  sort(
    "miller",
    false,
    "ground barley; carried sacks of wheat; oiled the millstone; counted bags of meal",
    "@ <hue> sack; @ <hue> scarf; @ <hue> scoop of oats",
  ),
  sort(
    "fisher",
    false,
    "knotted nets; rowed out at dawn; dried herring; painted {his} boat",
    "@ <hue> coil of line; @ <hue> tin of bait; @ <hue> pair of oars",
  ),
  sort(
    "weaver",
    false,
    "spun wool; wove cloth; dyed yarn; hummed at the loom",
    "@ <hue> ball of yarn; @ <hue> shuttle; @ <hue> roll of linen",
  ),
  sort(
    "gardener",
    false,
    "planted beans; watered the lettuces; raked leaves; trimmed the rose hedge",
    "@ <hue> trowel; @ <hue> watering can; @ <hue> packet of seeds",
  ),
  sort(
    "shepherd",
    false,
    "counted lambs; walked the flock uphill; combed fleeces; mended the fold",
    "@ <hue> staff; @ <hue> cloak; @ <hue> heel of cheese",
  ),
  sort(
    "potter",
    false,
    "shaped bowls; dug clay; fired the kiln; glazed jars",
    "@ <hue> lump of clay; @ <hue> sponge; @ <hue> saucer",
  ),
  sort(
    "tailor",
    false,
    "stitched coats; cut velvet; threaded needles; ironed collars",
    "@ <hue> reel of thread; @ <hue> pincushion; @ <hue> tape measure",
  ),
  sort(
    "sailor",
    false,
    "scrubbed the deck; tied knots; sang sea songs; watched the tide",
    "@ <hue> spyglass; @ <hue> canvas bag; @ <hue> ship biscuit",
  ),
  sort(
    "carpenter",
    false,
    "sawed planks; planed doors; sanded table legs; stacked timber",
    "@ <hue> mallet; @ <hue> pocket of nails; @ <hue> folding rule",
  ),
  sort(
    "painter",
    false,
    "mixed paints; drew clouds; washed brushes; framed pictures",
    "@ <hue> sketchbook; @ <hue> pot of varnish; @ <hue> rag",
  ),
  sort(
    "beekeeper",
    false,
    "visited the hives; bottled honey; scraped beeswax; grew lavender",
    "@ <hue> jar of honey; @ <hue> net veil; @ <hue> wax candle",
  ),
  sort(
    "fox",
    true,
    "trotted along the hedges; groomed {his} tail; sniffed out blackberries; napped in the den",
    "@ <hue> leaf of berries; @ <hue> feather; @ <hue> pine cone",
  ),
  sort(
    "hare",
    true,
    "raced the wind; nibbled clover; drummed with both feet; leaped over molehills",
    "@ <hue> sprig of clover; @ <hue> parsley bundle; @ <hue> dandelion",
  ),
  sort(
    "mouse",
    true,
    "gathered crumbs; polished acorn cups; tiptoed past the cat; stored seeds",
    "@ <hue> crumb of cake; @ <hue> acorn cup; @ <hue> grain of corn",
  ),
  sort(
    "owl",
    true,
    "read the stars; blinked at the moon; dusted the nest; hooted songs",
    "@ <hue> scroll of bark; @ <hue> quill; @ <hue> pair of spectacles",
  ),
  sort(
    "bear",
    true,
    "fished in the shallows; scratched {his} back on trees; dug for roots; snored after lunch",
    "@ <hue> pot of jam; @ <hue> bundle of roots; @ <hue> trout",
  ),
  sort(
    "otter",
    true,
    "slid down the mud bank; juggled pebbles; floated on {his} back; dived for shells",
    "@ <hue> pebble; @ <hue> mussel shell; @ <hue> towel",
  ),
  sort(
    "hedgehog",
    true,
    "rolled through leaves; tasted mushrooms; aired {his} bed of moss; hunted for slugs",
    "@ <hue> mushroom; @ <hue> pillow; @ <hue> pear",
  ),
  sort(
    "badger",
    true,
    "tidied the tunnels; swept the doorway; brewed nettle tea; dug new cellars",
    "@ <hue> flask of tea; @ <hue> spade; @ <hue> bag of turnips",
  ),
  sort(
    "squirrel",
    true,
    "buried hazelnuts; jumped from branch to branch; fluffed {his} tail; cracked walnuts",
    "@ <hue> hazelnut; @ <hue> twig basket; @ <hue> cheek full of seeds",
  ),
  sort(
    "duck",
    true,
    "paddled in circles; preened {his} feathers; chased dragonflies; quacked at the rain",
    "@ <hue> reed whistle; @ <hue> water lily; @ <hue> strip of cress",
  ),
  sort(
    "frog",
    true,
    "croaked in the choir; sunned on lily pads; caught gnats; practised long jumps",
    "@ <hue> lily petal; @ <hue> rush hat; @ <hue> drop of dew",
  ),
  sort(
    "goat",
    true,
    "climbed steep rocks; chewed ropes; butted the gate; tasted every bush",
    "@ <hue> tuft of grass; @ <hue> bell collar; @ <hue> glove",
  ),
];
