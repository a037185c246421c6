namespace Cairn.Frameworks.Tests.Tokenizing;

/// <summary>Learns small vocabularies from a text, so that the tests have tokenizers of every kind without downloading one.</summary>
internal static class Training
{
    public const string Text = """
        The quick brown fox jumps over the lazy dog. The dog didn't mind; it's been there before, hasn't it?  We'll see whether they've run 12345 metres.
        Der Fuchs läuft über die Straße und fragt: »Warum nicht?« Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich – 1.234,56 €.
        日本語のテキストと中文文本、한국어 문장도 있습니다。今日は天気がいいですね。你好，世界！ Привет, мир! Γειά σου Κόσμε. שלום עולם مرحبا بالعالم
        def add(a, b):
            return a + b  # 👩‍👩‍👧‍👦 family, 🇩🇪 flag, 👍🏽 thumbs
        for (int i = 0; i < 100; i++) { sum += i * 2; }   // the sum of the numbers, the numbers of the sum
        """;

    /// <summary>
    /// Byte-pair merges in the order in which they are learnt: the most frequent pair first, of equals the one that sorts first.
    /// </summary>
    public static List<(string Left, string Right)> Merges(IEnumerable<IReadOnlyList<string>> words, int count)
    {
        var current = words.Select(word => word.ToList()).ToList();
        var merges = new List<(string, string)>();
        while (merges.Count < count)
        {
            var pairs = new Dictionary<(string, string), int>();
            foreach (var word in current)
            {
                for (var i = 0; i + 1 < word.Count; i++) pairs[(word[i], word[i + 1])] = pairs.GetValueOrDefault((word[i], word[i + 1]))
                    + 1;
            }
            if (pairs.Count == 0) break;
            var (left, right) = pairs.OrderByDescending(pair => pair.Value)
                .ThenBy(pair => pair.Key.Item1, StringComparer.Ordinal).ThenBy(pair => pair.Key.Item2, StringComparer.Ordinal).First().Key;
            merges.Add((left, right));
            foreach (var word in current)
            {
                for (var i = 0; i + 1 < word.Count; i++)
                {
                    if (word[i] != left || word[i + 1] != right) continue;
                    word[i] = left + right;
                    word.RemoveAt(i + 1);
                }
            }
        }
        return merges;
    }
}
