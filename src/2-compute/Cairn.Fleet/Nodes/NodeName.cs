using System.Text;

namespace Cairn.Fleet.Nodes;

/// <summary>Makes a wished name one that can stand in a URL and a table. Pure.</summary>
internal static class NodeName
{
    private const int Longest = 63;
    private const int NumbersTried = 9;

    /// <summary>Lower-case letters, digits and single hyphens; <c>node</c> where nothing is left.</summary>
    public static string Clean(string wished)
    {
        var name = new StringBuilder(Math.Min(wished.Length, Longest));
        foreach (var c in wished)
        {
            if (name.Length == Longest)
                break;
            if (char.IsAsciiLetterOrDigit(c))
                name.Append(char.ToLowerInvariant(c));
            else if (name.Length > 0 && name[^1] != '-')
                name.Append('-');
        }
        var cleaned = name.ToString().Trim('-');
        return cleaned.Length == 0 || Guid.TryParse(cleaned, out _) ? "node" : cleaned;
    }

    /// <summary>
    /// The name, then the name with a small number, then with the random end of the node's id: few to try even where forty thousand nodes
    /// wish for one name.
    /// </summary>
    public static IEnumerable<string> Candidates(string clean, Guid nodeId)
    {
        yield return clean;
        for (var i = 2; i <= NumbersTried; i++)
            yield return $"{clean}-{i}";
        var id = nodeId.ToString("N");
        yield return $"{clean}-{id[^6..]}";
        yield return $"{clean}-{id}";
    }
}
