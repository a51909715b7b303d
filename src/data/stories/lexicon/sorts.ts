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
    "<adverb> kneaded <hue> dough; <adverb> baked <hue> plum buns; <adverb> swept flour from the step; <adverb> set loaves out to cool",
    "@ <hue> apron; @ <hue> bun; @ <hue> bag of rolls",
  ),
  sort(
    "miller",
    false,
    "<adverb> ground <hue> barley; <adverb> carried sacks of wheat; <adverb> oiled the millstone; <adverb> counted <hue> bags of meal",
    "@ <hue> sack; @ <hue> scarf; @ <hue> scoop of oats",
  ),
  sort(
    "fisher",
    false,
    "<adverb> knotted <hue> nets; <adverb> rowed out at dawn; <adverb> dried <hue> herring; <adverb> painted {his} boat",
    "@ <hue> coil of line; @ <hue> tin of bait; @ <hue> pair of oars",
  ),
  sort(
    "weaver",
    false,
    "<adverb> spun <hue> wool; <adverb> wove <hue> cloth; <adverb> dyed <hue> yarn; <adverb> hummed at the loom",
    "@ <hue> ball of yarn; @ <hue> shuttle; @ <hue> roll of linen",
  ),
  sort(
    "gardener",
    false,
    "<adverb> planted <hue> beans; <adverb> watered the lettuces; <adverb> raked <hue> leaves; <adverb> trimmed the rose hedge",
    "@ <hue> trowel; @ <hue> watering can; @ <hue> packet of seeds",
  ),
  sort(
    "shepherd",
    false,
    "<adverb> counted <hue> lambs; <adverb> walked the flock uphill; <adverb> combed <hue> fleeces; <adverb> mended the fold",
    "@ <hue> staff; @ <hue> cloak; @ <hue> heel of cheese",
  ),
  sort(
    "potter",
    false,
    "<adverb> shaped <hue> bowls; <adverb> dug clay; <adverb> fired the kiln; <adverb> glazed <hue> jars",
    "@ <hue> lump of clay; @ <hue> sponge; @ <hue> saucer",
  ),
  sort(
    "tailor",
    false,
    "<adverb> stitched <hue> coats; <adverb> cut <hue> velvet; <adverb> threaded <hue> needles; <adverb> ironed <hue> collars",
    "@ <hue> reel of thread; @ <hue> pincushion; @ <hue> tape measure",
  ),
  sort(
    "sailor",
    false,
    "<adverb> scrubbed the deck; <adverb> tied <hue> knots; <adverb> sang <hue> sea songs; <adverb> watched the tide",
    "@ <hue> spyglass; @ <hue> canvas bag; @ <hue> ship biscuit",
  ),
  sort(
    "carpenter",
    false,
    "<adverb> sawed <hue> planks; <adverb> planed <hue> doors; <adverb> sanded <hue> table legs; <adverb> stacked <hue> timber",
    "@ <hue> mallet; @ <hue> pocket of nails; @ <hue> folding rule",
  ),
  sort(
    "painter",
    false,
    "<adverb> mixed <hue> paints; <adverb> drew <hue> clouds; <adverb> washed <hue> brushes; <adverb> framed <hue> pictures",
    "@ <hue> sketchbook; @ <hue> pot of varnish; @ <hue> rag",
  ),
  sort(
    "beekeeper",
    false,
    "<adverb> visited the hives; <adverb> bottled <hue> honey; <adverb> scraped <hue> beeswax; <adverb> grew <hue> lavender",
    "@ <hue> jar of honey; @ <hue> net veil; @ <hue> wax candle",
  ),
  sort(
    "fox",
    true,
    "<adverb> trotted along the hedges; <adverb> groomed {his} tail; <adverb> sniffed out blackberries; <adverb> napped in the den",
    "@ <hue> leaf of berries; @ <hue> feather; @ <hue> pine cone",
  ),
  sort(
    "hare",
    true,
    "<adverb> raced the wind; <adverb> nibbled clover; <adverb> drummed with both feet; <adverb> leaped over molehills",
    "@ <hue> sprig of clover; @ <hue> parsley bundle; @ <hue> dandelion",
  ),
  sort(
    "mouse",
    true,
    "<adverb> gathered <hue> crumbs; <adverb> polished <hue> acorn cups; <adverb> tiptoed past the cat; <adverb> stored <hue> seeds",
    "@ <hue> crumb of cake; @ <hue> acorn cup; @ <hue> grain of corn",
  ),
  sort(
    "owl",
    true,
    "<adverb> read the stars; <adverb> blinked at the moon; <adverb> dusted the nest; <adverb> hooted <hue> songs",
    "@ <hue> scroll of bark; @ <hue> quill; @ <hue> pair of spectacles",
  ),
  sort(
    "bear",
    true,
    "<adverb> fished in the shallows; <adverb> scratched {his} back on trees; <adverb> dug for roots; <adverb> snored after lunch",
    "@ <hue> pot of jam; @ <hue> bundle of roots; @ <hue> trout",
  ),
  sort(
    "otter",
    true,
    "<adverb> slid down the mud bank; <adverb> juggled <hue> pebbles; <adverb> floated on {his} back; <adverb> dived for shells",
    "@ <hue> pebble; @ <hue> mussel shell; @ <hue> towel",
  ),
  sort(
    "hedgehog",
    true,
    "<adverb> rolled through leaves; <adverb> tasted <hue> mushrooms; <adverb> aired {his} bed of moss; <adverb> hunted for slugs",
    "@ <hue> mushroom; @ <hue> pillow; @ <hue> pear",
  ),
  sort(
    "badger",
    true,
    "<adverb> tidied the tunnels; <adverb> swept the doorway; <adverb> brewed <hue> nettle tea; <adverb> dug new cellars",
    "@ <hue> flask of tea; @ <hue> spade; @ <hue> bag of turnips",
  ),
  sort(
    "squirrel",
    true,
    "<adverb> buried <hue> hazelnuts; <adverb> jumped from branch to branch; <adverb> fluffed {his} tail; <adverb> cracked <hue> walnuts",
    "@ <hue> hazelnut; @ <hue> twig basket; @ <hue> cheek full of seeds",
  ),
  sort(
    "duck",
    true,
    "<adverb> paddled in circles; <adverb> preened {his} feathers; <adverb> chased <hue> dragonflies; <adverb> quacked at the rain",
    "@ <hue> reed whistle; @ <hue> water lily; @ <hue> strip of cress",
  ),
  sort(
    "frog",
    true,
    "<adverb> croaked in the choir; <adverb> sunned on lily pads; <adverb> caught <hue> gnats; <adverb> practised long jumps",
    "@ <hue> lily petal; @ <hue> rush hat; @ <hue> drop of dew",
  ),
  sort(
    "goat",
    true,
    "<adverb> climbed steep rocks; <adverb> chewed <hue> ropes; <adverb> butted the gate; <adverb> tasted <hue> every bush",
    "@ <hue> tuft of grass; @ <hue> bell collar; @ <hue> glove",
  ),
];
