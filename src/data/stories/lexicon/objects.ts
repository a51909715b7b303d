/** The wished-for objects: what each is for, which parts may break, what it may be made of. */

export interface Thing {
  word: string;
  /** What it is for: infinitives without "to". */
  uses: readonly string[];
  /** Parts that may break, singular. */
  parts: readonly string[];
  /** What one can make it from. */
  stuff: readonly string[];
}

function thing(word: string, uses: string, parts: string, stuff: string): Thing {
  return { word, uses: uses.split("; "), parts: parts.split("; "), stuff: stuff.split("; ") };
}

export const THINGS: readonly Thing[] = [
  thing(
    "kite",
    "fly above the <hue> roofs; race the <hue> clouds; surprise the <mien> swallows",
    "tail; string",
    "paper and thin sticks; silk and bamboo",
  ),
  thing(
    "bell",
    "ring for <dish> supper; call the <mien> goats home; greet the <mien> visitors",
    "clapper; rim",
    "copper and cord; old brass",
  ),
  thing(
    "lantern",
    "light the dark lane; read <hue> letters; guide the late boats",
    "glass; hook",
    "tin and glass; wire and wax paper",
  ),
  thing(
    "basket",
    "carry <hue> eggs; gather <dish> plums; bring lunch to the <hue> fields",
    "handle; lid",
    "willow twigs; rushes and twine",
  ),
  thing(
    "scarf",
    "keep out the <hue> frost; wrap @ <mien> lamb; go to the <hue> fair",
    "fringe; hem",
    "soft wool; goat hair and yarn",
  ),
  thing(
    "toy boat",
    "sail across the <hue> pond; race the <mien> ducklings; carry @ <hue> cargo of acorns",
    "mast; sail",
    "bark and a leaf; pine wood and cloth",
  ),
  thing(
    "drum",
    "march in the <hue> parade; keep the <mien> dancers in step; wake the <mien> guests",
    "skin; strap",
    "a barrel and leather; a pot and cloth",
  ),
  thing(
    "flute",
    "play at dusk; charm the <mien> birds; lead the <hue> wedding dance",
    "mouthpiece; lowest hole",
    "a hollow reed; elder wood",
  ),
  thing(
    "cup",
    "drink <dish> milk; catch <hue> raindrops; toast a birthday",
    "handle; rim",
    "river clay; a coconut shell",
  ),
  thing(
    "key",
    "open the <hue> attic; lock the <hue> seed chest; wind the <hue> clock",
    "tooth; ring",
    "iron wire; melted tin",
  ),
  thing(
    "book",
    "read to the <mien> ones; learn about <hue> stars; press <hue> flowers",
    "spine; cover",
    "old paper and thread; birch bark and string",
  ),
  thing(
    "map",
    "find the <hue> spring; plan @ <hue> walk; remember the way home",
    "corner; edge",
    "linen and ink; parchment and paint",
  ),
  thing(
    "blanket",
    "sleep under <hue> stars; cover the <mien> baby; make @ <hue> tent",
    "border; seam",
    "wool squares; old shirts and thread",
  ),
  thing(
    "hat",
    "walk in the sun; bow to the <mien> neighbours; keep off <hue> drizzle",
    "brim; band",
    "plaited straw; felt and ribbon",
  ),
  thing(
    "coat",
    "go out in the snow; hide from the wind; dress for the feast",
    "sleeve; pocket",
    "thick felt; quilted cotton",
  ),
  thing(
    "spoon",
    "stir the <hue> porridge; taste the <hue> soup; measure <dish> sugar",
    "handle; tip",
    "cherry wood; a bent tin strip",
  ),
  thing(
    "kettle",
    "boil <dish> tea; warm <mien> guests; steam the <hue> dumplings",
    "spout; lid",
    "hammered copper; tin and solder",
  ),
  thing(
    "clock",
    "wake the <mien> hens; count the <hue> minutes; time the <dish> cakes",
    "hand; spring",
    "cogs and a cigar box; brass wheels and oak",
  ),
  thing(
    "mirror",
    "flash signals to @ <hue> hill; comb @ <hue> mane; see round the <hue> corner",
    "frame; corner",
    "polished tin; glass and silver paint",
  ),
  thing(
    "cart",
    "haul <hue> pumpkins; move the <hue> hay; give the <mien> twins a ride",
    "wheel; axle",
    "planks and old wheels; crates and rope",
  ),
  thing(
    "whistle",
    "call the <mien> dog; start the <hue> race; warn the <hue> ferry",
    "pea; ring",
    "a willow stick; bone and beeswax",
  ),
  thing(
    "doll",
    "play <game>; comfort @ <mien> cousin; act in the <hue> puppet show",
    "arm; braid",
    "rags and buttons; corn husks",
  ),
  thing(
    "ball",
    "play <game>; roll down the <hue> slope; bounce on the <hue> wall",
    "seam; patch",
    "leather scraps; rubber and string",
  ),
  thing(
    "ribbon",
    "tie up @ <hue> present; decorate the <mien> pony; mark the <hue> page",
    "knot; end",
    "satin thread; a strip of silk",
  ),
  thing(
    "umbrella",
    "walk in the rain; shade the <dish> picnic; shelter the <mien> chicks",
    "rib; handle",
    "oilcloth and cane; big leaves and sticks",
  ),
  thing("teapot", "pour <dish> tea; warm <mien> guests; welcome @ <mien> guest", "spout; lid", "white clay; pewter"),
  thing(
    "rope",
    "tie up the <hue> boat; climb the <hue> cliff; swing over the <hue> ditch",
    "loop; end",
    "twisted hemp; bark strips",
  ),
  thing(
    "sled",
    "slide down the snow; haul <hue> logs; cross the frozen pond",
    "runner; seat",
    "barrel staves; ash boards",
  ),
  thing("chair", "rest by the fire; reach the top shelf; sit with @ <hue> story", "leg; arm", "oak planks; bent cane"),
  thing(
    "box",
    "store <hue> letters; hide <hue> sweets; keep @ <mien> beetle safe",
    "lid; hinge",
    "cedar boards; stiff card and paste",
  ),
  thing(
    "ring",
    "dress up for the feast; seal @ <hue> promise; remember @ <mien> grandmother",
    "stone; clasp",
    "silver wire; a twist of gold grass",
  ),
  thing("comb", "smooth @ <hue> mane; tidy {his} hair; part the <hue> fleece", "tooth; edge", "polished horn; boxwood"),
  thing(
    "fiddle",
    "play <hue> jigs; join the <hue> band; cheer the <mien> harvesters",
    "bow; peg",
    "maple wood and gut; a box and strings",
  ),
  thing(
    "lamp",
    "sew in the evening; chase off the dark; show the <hue> stairs",
    "wick; shade",
    "a jar and a wick; brass and oil",
  ),
  thing("jug", "fetch <dish> water; pour <dish> cream; hold <hue> flowers", "handle; lip", "red clay; thick glass"),
  thing(
    "bowl",
    "eat <dish> soup; mix the <hue> batter; feed the <mien> kittens",
    "rim; base",
    "turned beech; speckled clay",
  ),
  thing(
    "brush",
    "paint the <hue> fence; sweep the <hue> hearth; groom the <mien> donkey",
    "handle; bristle",
    "twigs and twine; horse hair and pine",
  ),
  thing(
    "wagon",
    "travel to the fair; deliver <dish> apples; carry the <hue> choir",
    "wheel; shaft",
    "boards and hoops; ash poles and canvas",
  ),
  thing(
    "compass",
    "find the <hue> north road; cross the <hue> moor; follow the right trail",
    "needle; lid",
    "a magnet and cork; a needle and brass",
  ),
  thing(
    "ladder",
    "pick the <hue> high cherries; clean the <hue> windows; look over the <hue> wall",
    "rung; rail",
    "spruce poles; rope and rungs",
  ),
];

/** What the object looks like: one word, right for every object. */
export const LOOKS =
  "blue red green yellow white black purple golden silver grey brown orange pink striped spotted painted carved shiny tiny huge plain crooked ancient new little battered pretty heavy light simple odd lovely crimson violet amber ivory bronze copper velvet chequered dotted faded polished dusty dented slender sturdy round curved famous rare foreign fancy dainty pale bright dark quaint patched engraved gilded sparkling splendid".split(
    " ",
  );
