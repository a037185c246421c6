using Cairn.State.Engines;

namespace Cairn.State;

/// <summary>
/// Reads rows within one work. SQL is written in the subset that SQLite and PostgreSQL share; see <see cref="Store"/>. Arguments are the
/// properties of <c>args</c> (an anonymous object or a record), written <c>@name</c> in the SQL, and <c>x IN @names</c> for a list; a
/// column <c>created_at</c> fills <c>CreatedAt</c>. Good only until its work returns.
/// </summary>
public class ReadSession
{
    private Link? _link;

    private protected ReadSession(Link link)
    {
        _link = link;
    }

    internal static ReadSession Over(Link link) => new(link);

    private protected Link Link => _link ?? throw new InvalidOperationException("The session was used after its work had returned.");

    /// <summary>
    /// All rows of a query. <typeparamref name="T"/> is a single value, a tuple (by position), or a record or class (by name).
    /// </summary>
    /// <exception cref="StoreException">The statement or the row type is wrong, or the database refused.</exception>
    public IReadOnlyList<T> Query<T>(string sql, object? args = null) => Link.Prepare(sql, args).Query<T>(args);

    /// <summary>The only row, or the default where there is none.</summary>
    /// <exception cref="InvalidOperationException">There is more than one row.</exception>
    public T? QuerySingleOrDefault<T>(string sql, object? args = null)
    {
        var rows = Link.Prepare(sql, args).Query<T>(args, most: 2);
        return rows.Count switch
        {
            0 => default,
            1 => rows[0],
            _ => throw new InvalidOperationException($"The query returned more than one row where one was expected: {sql}"),
        };
    }

    /// <summary>The first column of the first row. An empty result is an error; a NULL needs a nullable <typeparamref name="T"/>.</summary>
    public T Scalar<T>(string sql, object? args = null)
    {
        var rows = Link.Prepare(sql, args).Query<T>(args, most: 1);
        return rows.Count == 1
            ? rows[0]
            : throw new InvalidOperationException($"The query returned no row where a value was expected: {sql}");
    }

    internal void Close() => _link = null;
}
