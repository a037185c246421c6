using System.Reflection;
using System.Text;

namespace Cairn.State.Rows;

/// <summary>How SQL's snake_case names meet C#'s PascalCase ones, and which parameters a statement has.</summary>
internal static class Names
{
    public static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal);

    /// <summary>The property that a parameter or column is called after.</summary>
    public static PropertyInfo? Property(Type type, string name) => Array.Find(type.GetProperties(),
        p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase)
            || string.Equals(p.Name, Plain(name), StringComparison.OrdinalIgnoreCase));

    /// <summary>The names after <c>@</c> in a statement, each once, in order; those in quotes and comments are no parameters.</summary>
    public static List<string> Parameters(string sql)
    {
        var names = new List<string>();
        foreach (var range in ParameterRanges(sql))
        {
            var name = sql[(range.Start.Value + 1)..range.End.Value];
            if (!names.Contains(name))
                names.Add(name);
        }
        return names;
    }

    /// <summary>The statement with every <c>@name</c> written otherwise.</summary>
    public static string ReplaceParameter(string sql, string name, string replacement)
    {
        var result = new StringBuilder();
        var done = 0;
        foreach (var range in ParameterRanges(sql))
        {
            if (!sql.AsSpan(range)[1..].SequenceEqual(name))
                continue;
            result.Append(sql, done, range.Start.Value - done).Append(replacement);
            done = range.End.Value;
        }
        return result.Append(sql, done, sql.Length - done).ToString();
    }

    private static IEnumerable<Range> ParameterRanges(string sql)
    {
        for (var i = 0; i < sql.Length; i++)
        {
            var skipTo = sql[i] switch
            {
                '\'' or '"' => sql.IndexOf(sql[i], i + 1),
                '-' when i + 1 < sql.Length && sql[i + 1] == '-' => sql.IndexOf('\n', i),
                _ => i,
            };
            if (skipTo < 0)
                yield break;
            i = skipTo;
            if (sql[i] != '@')
                continue;
            var end = i + 1;
            while (end < sql.Length && (char.IsAsciiLetterOrDigit(sql[end]) || sql[end] == '_'))
                end++;
            if (end > i + 1)
                yield return i..end;
            i = end - 1;
        }
    }
}
