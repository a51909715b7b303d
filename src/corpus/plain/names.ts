/** Names of people, towns and countries. */
import { list } from "./list.js";

export const NAMES = {
  maleName:
    list(`Adam, Ahmed, Alan, Alberto, Aleksander, Ali, Andre, Andrew, Anton, Arjun, Arthur, Ben, Bilal, Boris, Brian,
    Carlos, Charles, Chen, Chris, Daniel, David, Dennis, Diego, Dmitri, Edward, Emeka, Emil, Enrique, Eric, Farid, Felix,
    Fernando, Frank, Fred, George, Giovanni, Greg, Gustav, Hans, Haruto, Harry, Hassan, Henry, Hiroshi, Hugo, Ian, Ibrahim,
    Igor, Isaac, Ivan, Jack, Jacob, Jamal, James, Jan, Javier, Jim, Joe, John, Jorge, Jose, Joseph, Juan, Karl, Kenji, Kevin,
    Khalid, Kofi, Kwame, Lars, Leo, Liam, Lorenzo, Louis, Luca, Luis, Malik, Marco, Mark, Martin, Matthew, Michael, Miguel,
    Mohammed, Nathan, Nikolai, Oliver, Omar, Oscar, Pablo, Patrick, Paul, Pedro, Peter, Philip, Pierre, Rafael, Rahul, Raj,
    Richard, Robert, Roger, Ryan, Samir, Samuel, Sanjay, Sergei, Simon, Stefan, Steve, Sven, Tariq, Thomas, Tim, Tom, Victor,
    Vikram, Walter, Wei, William, Yusuf`),
  femaleName:
    list(`Ada, Aisha, Alice, Amara, Amina, Amy, Ana, Andrea, Angela, Anita, Anna, Astrid, Ayako, Barbara, Beatriz,
    Bella, Brigitte, Carla, Carmen, Caroline, Catherine, Chiara, Chloe, Clara, Claire, Daniela, Diana, Dorothy, Elena, Elif,
    Elizabeth, Ella, Emily, Emma, Esther, Eva, Fatima, Fiona, Frida, Gabriela, Grace, Greta, Hana, Hannah, Helen, Helga, Ingrid,
    Irene, Iris, Isabel, Jane, Janet, Jasmine, Jennifer, Jessica, Joan, Julia, Karen, Kate, Katya, Keiko, Laila, Laura, Leila,
    Lena, Linda, Lisa, Lucia, Lucy, Magda, Mai, Margaret, Maria, Marie, Martha, Mary, Mei, Mina, Miriam, Molly, Monica, Nadia,
    Naomi, Natasha, Ngozi, Nicole, Nina, Nora, Olga, Olivia, Paula, Petra, Priya, Rachel, Rebecca, Rita, Rosa, Ruth, Sakura,
    Sandra, Sara, Sofia, Sonia, Susan, Tamara, Teresa, Ursula, Valentina, Vera, Victoria, Wanda, Xin, Yasmin, Yuki, Zainab, Zoe`),
  surname:
    list(`Adams, Baker, Brown, Carter, Chang, Clark, Cooper, Davies, Evans, Fischer, Garcia, Gonzalez, Green, Hall, Hansen,
    Harris, Hill, Hughes, Ito, Jackson, Johnson, Jones, Kaplan, Khan, Kim, Kowalski, Lee, Lewis, Lopez, Martinez, Meyer, Miller,
    Mitchell, Moore, Morgan, Murphy, Nakamura, Nguyen, Novak, Okafor, Olsen, Parker, Patel, Perez, Petrov, Phillips, Popov,
    Roberts, Rossi, Sanchez, Schmidt, Scott, Sharma, Silva, Singh, Smith, Suzuki, Tanaka, Taylor, Thompson, Turner, Walker,
    Wang, Watson, Weber, White, Williams, Wilson, Wong, Wood, Wright, Young`),
  country:
    list(`Argentina, Australia, Austria, Belgium, Brazil, Canada, Chile, China, Colombia, Cuba, Denmark, Egypt, England,
    Ethiopia, Finland, France, Germany, Ghana, Greece, Hungary, Iceland, India, Indonesia, Iran, Iraq, Ireland, Israel, Italy,
    Jamaica, Japan, Kenya, Korea, Mexico, Morocco, Nepal, Nigeria, Norway, Pakistan, Peru, Poland, Portugal, Romania, Russia,
    Scotland, Spain, Sweden, Switzerland, Syria, Thailand, Turkey, Ukraine, Vietnam, Wales`),
  town: list(`Amsterdam, Athens, Baghdad, Bangkok, Barcelona, Beijing, Berlin, Boston, Brussels, Budapest, Cairo, Chicago,
    Copenhagen, Delhi, Dublin, Edinburgh, Florence, Geneva, Glasgow, Hamburg, Helsinki, Houston, Istanbul, Jerusalem, Lagos,
    Lima, Lisbon, Liverpool, London, Madrid, Manchester, Melbourne, Miami, Milan, Montreal, Moscow, Mumbai, Munich, Nairobi,
    Naples, Oslo, Oxford, Paris, Prague, Rome, Seattle, Seoul, Shanghai, Singapore, Stockholm, Sydney, Tehran, Tokyo, Toronto,
    Venice, Vienna, Warsaw, Washington, Zurich`),
  nationality:
    list(`American, Arab, Australian, Brazilian, British, Canadian, Chinese, Dutch, Egyptian, French, German, Greek, Indian,
    Irish, Italian, Japanese, Korean, Mexican, Polish, Portuguese, Russian, Scottish, Spanish, Swedish, Turkish`),
  language: list(
    "Arabic, Chinese, Dutch, English, French, German, Greek, Hindi, Italian, Japanese, Korean, Latin, Polish, Portuguese, Russian, Spanish, Swahili, Swedish, Turkish",
  ),
};
