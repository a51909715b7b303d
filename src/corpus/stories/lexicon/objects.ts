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
    "fly above the roofs; race the clouds; surprise the swallows",
    "tail; string",
    "paper and thin sticks; silk and bamboo",
  ),
  thing(
    "bell",
    "ring for supper; call the goats home; greet the visitors",
    "clapper; rim",
    "copper and cord; old brass",
  ),
  thing(
    "lantern",
    "light the dark lane; read letters; guide the late boats",
    "glass; hook",
    "tin and glass; wire and wax paper",
  ),
  thing(
    "basket",
    "carry eggs; gather plums; bring lunch to the fields",
    "handle; lid",
    "willow twigs; rushes and twine",
  ),
  thing("scarf", "keep out the frost; wrap @ lamb; go to the fair", "fringe; hem", "soft wool; goat hair and yarn"),
  thing(
    "toy boat",
    "sail across the pond; race the ducklings; carry @ cargo of acorns",
    "mast; sail",
    "bark and a leaf; pine wood and cloth",
  ),
  thing(
    "drum",
    "march in the parade; keep the dancers in step; wake the guests",
    "skin; strap",
    "a barrel and leather; a pot and cloth",
  ),
  thing(
    "flute",
    "play at dusk; charm the birds; lead the wedding dance",
    "mouthpiece; lowest hole",
    "a hollow reed; elder wood",
  ),
  thing("cup", "drink milk; catch raindrops; toast a birthday", "handle; rim", "river clay; a coconut shell"),
  thing("key", "open the attic; lock the seed chest; wind the clock", "tooth; ring", "iron wire; melted tin"),
  thing(
    "book",
    "read to the little ones; learn about stars; press flowers",
    "spine; cover",
    "old paper and thread; birch bark and string",
  ),
  thing(
    "map",
    "find the spring; plan @ walk; remember the way home",
    "corner; edge",
    "linen and ink; parchment and paint",
  ),
  thing(
    "blanket",
    "sleep under stars; cover the baby; make @ tent",
    "border; seam",
    "wool squares; old shirts and thread",
  ),
  thing(
    "hat",
    "walk in the sun; bow to the neighbours; keep off drizzle",
    "brim; band",
    "plaited straw; felt and ribbon",
  ),
  thing(
    "coat",
    "go out in the snow; hide from the wind; dress for the feast",
    "sleeve; pocket",
    "thick felt; quilted cotton",
  ),
  thing("spoon", "stir the porridge; taste the soup; measure sugar", "handle; tip", "cherry wood; a bent tin strip"),
  thing("kettle", "boil tea; warm guests; steam the dumplings", "spout; lid", "hammered copper; tin and solder"),
  thing(
    "clock",
    "wake the hens; count the minutes; time the cakes",
    "hand; spring",
    "cogs and a cigar box; brass wheels and oak",
  ),
  thing(
    "mirror",
    "flash signals to @ hill; comb @ mane; see round the corner",
    "frame; corner",
    "polished tin; glass and silver paint",
  ),
  thing(
    "cart",
    "haul pumpkins; move the hay; give the twins a ride",
    "wheel; axle",
    "planks and old wheels; crates and rope",
  ),
  thing("whistle", "call the dog; start the race; warn the ferry", "pea; ring", "a willow stick; bone and beeswax"),
  thing("doll", "play <game>; comfort @ cousin; act in the puppet show", "arm; braid", "rags and buttons; corn husks"),
  thing(
    "ball",
    "play <game>; roll down the slope; bounce on the wall",
    "seam; patch",
    "leather scraps; rubber and string",
  ),
  thing("ribbon", "tie up @ present; decorate the pony; mark the page", "knot; end", "satin thread; a strip of silk"),
  thing(
    "umbrella",
    "walk in the rain; shade the picnic; shelter the chicks",
    "rib; handle",
    "oilcloth and cane; big leaves and sticks",
  ),
  thing("teapot", "pour tea; warm guests; welcome @ guest", "spout; lid", "white clay; pewter"),
  thing("rope", "tie up the boat; climb the cliff; swing over the ditch", "loop; end", "twisted hemp; bark strips"),
  thing("sled", "slide down the snow; haul logs; cross the frozen pond", "runner; seat", "barrel staves; ash boards"),
  thing("chair", "rest by the fire; reach the top shelf; sit with a good story", "leg; arm", "oak planks; bent cane"),
  thing("box", "store letters; hide sweets; keep @ beetle safe", "lid; hinge", "cedar boards; stiff card and paste"),
  thing(
    "ring",
    "dress up for the feast; seal a promise; remember @ grandmother",
    "stone; clasp",
    "silver wire; a twist of gold grass",
  ),
  thing("comb", "smooth @ mane; tidy {his} hair; part the fleece", "tooth; edge", "polished horn; boxwood"),
  thing(
    "fiddle",
    "play jigs; join the band; cheer the harvesters",
    "bow; peg",
    "maple wood and gut; a box and strings",
  ),
  thing(
    "lamp",
    "sew in the evening; chase off the dark; show the stairs",
    "wick; shade",
    "a jar and a wick; brass and oil",
  ),
  thing("jug", "fetch water; pour cream; hold flowers", "handle; lip", "red clay; thick glass"),
  thing("bowl", "eat soup; mix the batter; feed the kittens", "rim; base", "turned beech; speckled clay"),
  thing(
    "brush",
    "paint the fence; sweep the hearth; groom the donkey",
    "handle; bristle",
    "twigs and twine; horse hair and pine",
  ),
  thing(
    "wagon",
    "travel to the fair; deliver apples; carry the choir",
    "wheel; shaft",
    "boards and hoops; ash poles and canvas",
  ),
  thing(
    "compass",
    "find the north road; cross the moor; follow the right trail",
    "needle; lid",
    "a magnet and cork; a needle and brass",
  ),
  thing(
    "ladder",
    "pick the high cherries; clean the windows; look over the wall",
    "rung; rail",
    "spruce poles; rope and rungs",
  ),
];

/** What the object looks like: one word, right for every object. */
export const LOOKS =
  "blue red green yellow white black purple golden silver grey brown orange pink striped spotted painted carved shiny tiny plain new little crimson violet copper chequered faded polished sturdy round patched wooden old".split(
    " ",
  );
