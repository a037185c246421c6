using System.Text.Json;

namespace Cairn.Contracts.Api;

/// <summary>
/// An enum's members as the words that the API, workload files, catalogues and columns write: <c>OnPremises</c> is
/// <c>on_premises</c>. <see cref="ApiJson"/> writes the same ones.
/// </summary>
public static class EnumWords
{
    public static string Of<T>(T value) where T : struct, Enum =>
        Table<T>.Words.TryGetValue(value, out var word) ? word : Convert(value.ToString());

    /// <summary>Every word of the enum, in the order of its members' values.</summary>
    public static IReadOnlyList<string> All<T>() where T : struct, Enum => Table<T>.All;

    /// <summary>The member that is written so, letter for letter; null where none is.</summary>
    public static T? Find<T>(string word) where T : struct, Enum => Table<T>.Values.TryGetValue(word, out var value) ? value : null;

    private static string Convert(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    private static class Table<T> where T : struct, Enum
    {
        public static readonly Dictionary<T, string> Words = Enum.GetValues<T>().Distinct().ToDictionary(v => v, v => Convert(v.ToString()));

        public static readonly IReadOnlyList<string> All = [.. Enum.GetValues<T>().Distinct().Select(v => Words[v])];

        public static readonly Dictionary<string, T> Values = Words.ToDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);
    }
}
