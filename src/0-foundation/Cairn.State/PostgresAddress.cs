using Npgsql;

namespace Cairn.State;

/// <summary>The two ways to write where a PostgreSQL database is.</summary>
internal static class PostgresAddress
{
    public static bool Recognises(string database) => IsUri(database) || database.Contains("Host=", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Reads <c>postgres://user:password@host:port/name?Key=Value</c> (a host may be a socket's folder, percent-encoded) or a key=value
    /// list.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The address is malformed; the message does not repeat it, for it may hold a password.
    /// </exception>
    public static NpgsqlConnectionStringBuilder Parse(string database)
    {
        if (!IsUri(database))
            return new NpgsqlConnectionStringBuilder(database);
        if (!Uri.TryCreate(database, UriKind.Absolute, out var uri))
            throw new ArgumentException("The PostgreSQL address is malformed; expected postgres://user:password@host:5432/name.",
                nameof(database));

        var result =
            new NpgsqlConnectionStringBuilder { Host = Uri.UnescapeDataString(uri.Host), Port = uri.IsDefaultPort ? 5432 : uri.Port };
        if (uri.AbsolutePath.Length > 1)
            result.Database = Uri.UnescapeDataString(uri.AbsolutePath[1..]);
        var user = uri.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
            result.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length == 2)
            result.Password = Uri.UnescapeDataString(user[1]);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
            Add(result, pair.Split('=', 2));
        return result;
    }

    private static void Add(NpgsqlConnectionStringBuilder result, string[] pair)
    {
        var key = Uri.UnescapeDataString(pair[0]);
        var value = pair.Length == 2 ? Uri.UnescapeDataString(pair[1]) : "";
        key = key switch { "sslmode" => "SSL Mode", "application_name" => "Application Name", _ => key };
        try
        {
            result[key] = value;
        }
        catch (ArgumentException)
        {
            throw new ArgumentException($"The PostgreSQL address has an option '{key}' that is not known or cannot be '{value}'.",
                nameof(pair));
        }
    }

    private static bool IsUri(string database) =>
        database.StartsWith("postgres://", StringComparison.Ordinal) || database.StartsWith("postgresql://", StringComparison.Ordinal);
}
