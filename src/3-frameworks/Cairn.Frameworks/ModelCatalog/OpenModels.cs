using System.Collections.Frozen;

namespace Cairn.Frameworks.ModelCatalog;

/// <summary>The open-weight models that Cairn knows, read once from <c>models.json</c>.</summary>
public static class OpenModels
{
    private static readonly Lazy<ModelTable> s_table = new(ModelTable.Load);

    private static readonly Lazy<FrozenDictionary<string, OpenModel>> s_byName = new(() => All
        .SelectMany(model => Names(model).Select(name => (Key: Normalize(name), Model: model)))
        .DistinctBy(entry => entry.Key)
        .ToFrozenDictionary(entry => entry.Key, entry => entry.Model, StringComparer.Ordinal));

    /// <summary>In the order of the file: text generation, embeddings, rerankers.</summary>
    public static IReadOnlyList<OpenModel> All => s_table.Value.Models;

    /// <summary>The day on which the table was last looked through.</summary>
    public static DateOnly AsOf => s_table.Value.AsOf;

    /// <summary>
    /// Finds a model by its name, an alias, its title or the path of its repository, with or without the publisher. Case and the characters
    /// between words do not matter: <c>Llama 3.1 8B</c>, <c>llama-3.1-8b</c> and <c>meta-llama/Llama-3.1-8B-Instruct</c> are one.
    /// </summary>
    /// <returns>Null where the name is unknown; see <see cref="Nearest"/>.</returns>
    public static OpenModel? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return s_byName.Value.GetValueOrDefault(Normalize(name));
    }

    /// <summary>The names most like an unknown one, best first.</summary>
    /// <param name="name">What was written.</param>
    /// <param name="most">How many at most, 1 or more.</param>
    public static IReadOnlyList<string> Nearest(string name, int most = 3)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        var wanted = Pairs(Normalize(name));
        return [.. All
            .Select(model => (model.Name, Likeness: Names(model).Max(known => Likeness(wanted, Pairs(Normalize(known))))))
            .Where(entry => entry.Likeness >= 0.3)
            .OrderByDescending(entry => entry.Likeness).ThenBy(entry => entry.Name, StringComparer.Ordinal)
            .Take(most).Select(entry => entry.Name)];
    }

    private static IEnumerable<string> Names(OpenModel model) =>
        [model.Name, .. model.Aliases, model.Title, model.Source, model.Source.Split('/')[^1]];

    private static string Normalize(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();

    private static HashSet<string> Pairs(string word) =>
        [.. Enumerable.Range(0, Math.Max(0, Math.Min(word.Length, 64) - 1)).Select(i => word.Substring(i, 2))];

    /// <summary>Dice's coefficient over pairs of letters (L. R. Dice, Ecology 26, 1945).</summary>
    private static double Likeness(HashSet<string> a, HashSet<string> b) =>
        a.Count + b.Count == 0 ? 0 : 2.0 * a.Count(b.Contains) / (a.Count + b.Count);
}
