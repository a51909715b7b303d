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
    "fly above the <hue> roofs; race the clouds; surprise the <hue> swallows",
    "tail; string",
    "paper and thin sticks; silk and bamboo",
  ),
  thing(
    "bell",
    "ring at supper; call the <hue> goats home; greet the <hue> visitors",
    "clapper; rim",
    "copper and cord; old brass",
  ),
  thing(
    "lantern",
    "light the dark lane; read after sunset; guide the late boats",
    "glass; hook",
    "tin and glass; wire and wax paper",
  ),
  thing(
    "basket",
    "carry eggs; gather plums; bring lunch to the <hue> fields",
    "handle; lid",
    "willow twigs; rushes and twine",
  ),
  thing("scarf", "keep out the frost; wrap up warm; wear to the fair", "fringe; hem", "soft wool; goat hair and yarn"),
  thing(
    "toy boat",
    "sail across the <hue> pond; race the ducklings; carry @ <hue> cargo of acorns",
    "mast; sail",
    "bark and a leaf; pine wood and cloth",
  ),
  thing(
    "drum",
    "beat in the <hue> parade; keep the dancers in step; wake the <hue> sleepy guests",
    "skin; strap",
    "a barrel and leather; a pot and cloth",
  ),
  thing(
    "flute",
    "play at dusk; charm the <hue> birds; lead the <hue> wedding dance",
    "mouthpiece; lowest hole",
    "a hollow reed; elder wood",
  ),
  thing("cup", "drink warm milk; catch the rain; toast a birthday", "handle; rim", "river clay; a coconut shell"),
  thing(
    "key",
    "open the <hue> attic; lock the <hue> seed chest; wind the music box",
    "tooth; ring",
    "iron wire; melted tin",
  ),
  thing(
    "book",
    "read to the <hue> little ones; learn the names of stars; press wild flowers",
    "spine; cover",
    "old paper and thread; birch bark and string",
  ),
  thing(
    "map",
    "find the <hue> hidden spring; plan @ <hue> long walk; remember the way home",
    "corner; edge",
    "linen and ink; parchment and paint",
  ),
  thing(
    "blanket",
    "sleep under the stars; cover the <hue> baby; make @ <hue> tent",
    "border; seam",
    "wool squares; old shirts and thread",
  ),
  thing(
    "hat",
    "wear in the sun; bow to the <hue> neighbours; keep off the drizzle",
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
    "stir the <hue> porridge; taste the <hue> soup; measure the sugar",
    "handle; tip",
    "cherry wood; a bent tin strip",
  ),
  thing(
    "kettle",
    "boil water for tea; warm cold guests; steam the <hue> dumplings",
    "spout; lid",
    "hammered copper; tin and solder",
  ),
  thing(
    "clock",
    "wake up on time; count the minutes; time the cakes",
    "hand; spring",
    "cogs and a cigar box; brass wheels and oak",
  ),
  thing(
    "mirror",
    "flash signals to the hill; comb a mane; see round the <hue> corner",
    "frame; corner",
    "polished tin; glass and silver paint",
  ),
  thing(
    "cart",
    "haul pumpkins; move the <hue> hay; give the <hue> twins a ride",
    "wheel; axle",
    "planks and old wheels; crates and rope",
  ),
  thing(
    "whistle",
    "call the <hue> dog; start the race; warn the <hue> ferry",
    "pea; ring",
    "a willow stick; bone and beeswax",
  ),
  thing(
    "doll",
    "play house; comfort @ <hue> little cousin; act in the <hue> puppet show",
    "arm; braid",
    "rags and buttons; corn husks",
  ),
  thing(
    "ball",
    "play catch; roll down the <hue> slope; bounce on the <hue> wall",
    "seam; patch",
    "leather scraps; rubber and string",
  ),
  thing(
    "ribbon",
    "tie up @ <hue> present; decorate the <hue> pony; mark the right page",
    "knot; end",
    "satin thread; a strip of silk",
  ),
  thing(
    "umbrella",
    "walk in the rain; shade the picnic; shelter the <hue> chicks",
    "rib; handle",
    "oilcloth and cane; big leaves and sticks",
  ),
  thing("teapot", "pour mint tea; warm cold hands; welcome @ <hue> guest", "spout; lid", "white clay; pewter"),
  thing(
    "rope",
    "tie up the <hue> boat; climb the <hue> cliff; swing over the <hue> ditch",
    "loop; end",
    "twisted hemp; bark strips",
  ),
  thing(
    "sled",
    "slide down the snow; pull firewood; cross the frozen pond",
    "runner; seat",
    "barrel staves; ash boards",
  ),
  thing("chair", "rest by the fire; reach the top shelf; sit with @ <hue> story", "leg; arm", "oak planks; bent cane"),
  thing(
    "box",
    "store letters; hide sweets; keep @ <hue> beetle safe",
    "lid; hinge",
    "cedar boards; stiff card and paste",
  ),
  thing(
    "ring",
    "wear at the feast; seal @ <hue> promise; remember @ <hue> grandmother",
    "stone; clasp",
    "silver wire; a twist of gold grass",
  ),
  thing(
    "comb",
    "smooth a tangled mane; tidy {his} hair; part the <hue> fleece",
    "tooth; edge",
    "polished horn; boxwood",
  ),
  thing(
    "fiddle",
    "play jigs; join the <hue> band; cheer the harvesters",
    "bow; peg",
    "maple wood and gut; a box and strings",
  ),
  thing(
    "lamp",
    "sew in the evening; chase off the dark; show the <hue> stairs",
    "wick; shade",
    "a jar and a wick; brass and oil",
  ),
  thing("jug", "fetch spring water; pour cream; hold wild flowers", "handle; lip", "red clay; thick glass"),
  thing(
    "bowl",
    "eat bean soup; mix the <hue> batter; feed the <hue> kittens",
    "rim; base",
    "turned beech; speckled clay",
  ),
  thing(
    "brush",
    "paint the <hue> fence; sweep the <hue> hearth; groom the <hue> donkey",
    "handle; bristle",
    "twigs and twine; horse hair and pine",
  ),
  thing(
    "wagon",
    "travel to the fair; deliver apples; carry the <hue> choir",
    "wheel; shaft",
    "boards and hoops; ash poles and canvas",
  ),
  thing(
    "compass",
    "find north; cross the <hue> moor; follow the right trail",
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
  "blue red green yellow white black purple golden silver grey brown orange pink striped spotted painted carved shiny tiny huge plain crooked ancient new little battered pretty heavy light simple odd lovely".split(
    " ",
  );
