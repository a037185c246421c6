namespace Cairn.State.Rows;

/// <summary>How SQL's snake_case names meet C#'s PascalCase ones, and which parameters a statement has.</summary>
internal static class Names
{
    public static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal);

    /// <summary>The names after <c>@</c> in a statement, each once, in order; those in quotes and comments are no parameters.</summary>
    public static List<string> Parameters(string sql)
    {
        var names = new List<string>();
        for (var i = 0; i < sql.Length; i++)
        {
            if (sql[i] is '\'' or '"')
            {
                i = sql.IndexOf(sql[i], i + 1);
                if (i < 0)
                    break;
            }
            else if (sql[i] == '-' && i + 1 < sql.Length && sql[i + 1] == '-')
            {
                i = sql.IndexOf('\n', i);
                if (i < 0)
                    break;
            }
            else if (sql[i] == '@')
            {
                var end = i + 1;
                while (end < sql.Length && (char.IsAsciiLetterOrDigit(sql[end]) || sql[end] == '_'))
                    end++;
                var name = sql[(i + 1)..end];
                if (name.Length > 0 && !names.Contains(name))
                    names.Add(name);
                i = end - 1;
            }
        }
        return names;
    }
}
