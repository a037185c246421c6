using System.Text.Json;

namespace Cairn.Fleet.Catalog.Csv;

/// <summary>An enum's members as the words that files and the API use: <c>OnPremises</c> is <c>on_premises</c>.</summary>
internal static class EnumWords<T> where T : struct, Enum
{
    private static readonly Dictionary<string, T> s_byWord = Enum.GetValues<T>().ToDictionary(Of, value =>
        value, StringComparer.OrdinalIgnoreCase);

    public static IReadOnlyCollection<string> All => s_byWord.Keys;

    public static string Of(T value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    public static T? Find(string word) => s_byWord.TryGetValue(word, out var value) ? value : null;
}
