/** Given names by pronoun, and the halves of village names. */

const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const GIRLS = list(`
  Ada Agnes Alma Amber Anna Astrid Bella Beryl Bessie Betty Birdie Blythe Bonnie Briony Cara Celia Cilla Clara Clover Cora
  Daisy Dara Dilly Dora Dulcie Edda Edith Effie Elsa Elsie Emmy Enid Esme Etta Eva Fanny Fay Fern Flora Freya
  Gerda Ginny Greta Gwen Hanna Hattie Hazel Heidi Helga Hilda Holly Ida Ilse Ina Ingrid Iris Isla Ivy Jana Jenny
  Josie Joy Juno Kate Kitty Lara Lena Lettie Lily Lisa Lotta Lucy Lulu Mabel Maggie Maisie Marla Marta Maud May
  Meg Milla Mina Minna Molly Moira Myrtle Nan Nell Netta Nina Nora Olga Olive Opal Pansy Pearl Peggy Penny Petra
  Pippa Polly Poppy Posy Prue Rhoda Robin Rosa Rosie Ruby Ruth Sadie Sally Selma Sigrid Stella Susie Tansy Tess Tilda
  Tilly Trudy Una Velma Vera Viola Willa Winnie`);

export const BOYS = list(`
  Abel Albie Alfie Amos Archie Arlo Arne Barney Bart Basil Ben Bertie Boris Bram Bruno Caleb Carl Casper Cedric Clem
  Clive Colin Conrad Corin Cyril Dan Desmond Dexter Digby Dirk Duncan Edgar Edmund Eli Elmer Emil Ernest Ezra Felix Fergus
  Finn Floyd Frank Fritz Gideon Gilbert Gus Hans Harold Harvey Hector Henry Herbert Hugo Humphrey Igor Ira Ivan Jack Jasper
  Jem Jens Joel Jonas Jory Josef Jules Karl Kit Klaus Lars Leo Linus Lorenz Lucas Ludo Magnus Martin Max Milo
  Monty Morris Moss Ned Nico Niels Nils Noah Odd Olaf Oleg Orson Oscar Oswin Otis Otto Owen Paddy Pascal Paul
  Percy Perry Peter Piers Pim Quill Ralph Remy Rolf Rory Rowan Rufus Rupert Sam Seth Silas Simon Sven Tam Ted
  Theo Tobias Tom Toby Ulf Victor Walter Wilf`);

export const TOWN_HEADS = list("Ash Bram Cold Elm Fern Gold Hart Larch Mar Oak Ot Pen Red Thorn Wil Wren");
export const TOWN_TAILS = list("by combe den ford ham ley mere stow");
