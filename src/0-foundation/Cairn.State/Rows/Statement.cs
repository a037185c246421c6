using System.Data.Common;
using Cairn.State.Engines;

namespace Cairn.State.Rows;

/// <summary>One prepared statement with the compiled writer of its arguments and readers of its rows.</summary>
internal sealed class Statement : IDisposable
{
    private readonly Link _link;
    private readonly DbCommand _command;
    private readonly DbParameter[] _parameters;
    private readonly Action<object, DbParameter[]>? _write;
    private readonly Dictionary<Type, Delegate> _readers = [];

    private Statement(Link link, DbCommand command, DbParameter[] parameters, Action<object, DbParameter[]>? write)
    {
        (_link, _command, _parameters, _write) = (link, command, parameters, write);
    }

    /// <summary>The arguments that are lists; each length of theirs is a statement of its own, and this one is never run.</summary>
    public ListParameter[] Lists { get; private init; } = [];

    public static Statement Prepare(Link link, DbConnection connection, string sql, Type? args)
    {
        var names = Names.Parameters(sql);
        if (names.Count > 0 && args is null)
            throw new StoreException(StoreFault.Statement,
                $"The statement has parameters ({string.Join(", ", names)}) but no arguments: {sql}");
        if (args is not null && ListParameter.Find(names, args) is { Length: > 0 } lists)
            return new Statement(link, connection.CreateCommand(), [], null) { Lists = lists };
        var parameters = new DbParameter[names.Count];
        Action<object, DbParameter[]>? write = null;
        if (names.Count > 0)
        {
            (write, var types) = ParameterWriter.For(args!, names);
            for (var i = 0; i < parameters.Length; i++)
                parameters[i] = link.Engine.Parameter(names[i], types[i]);
        }

        var command = connection.CreateCommand();
        try
        {
            command.CommandText = sql;
            command.Parameters.AddRange(parameters);
            command.Prepare();
            return new Statement(link, command, parameters, write);
        }
        catch (DbException error)
        {
            command.Dispose();
            throw link.Fail(error, sql);
        }
    }

    public int Execute(object? args)
    {
        Bind(args);
        try
        {
            return _command.ExecuteNonQuery();
        }
        catch (DbException error)
        {
            throw _link.Fail(error, _command.CommandText);
        }
    }

    /// <summary>All rows, or the first <paramref name="most"/>.</summary>
    public List<T> Query<T>(object? args, int most = int.MaxValue)
    {
        Bind(args);
        var rows = new List<T>();
        try
        {
            using var reader = _command.ExecuteReader();
            if (!_readers.TryGetValue(typeof(T), out var read))
                _readers.Add(typeof(T), read = RowReader<T>.Compile(reader));
            var readRow = (Func<DbDataReader, T>)read;
            while (rows.Count < most && reader.Read())
                rows.Add(readRow(reader));
            return rows;
        }
        catch (DbException error)
        {
            throw _link.Fail(error, _command.CommandText);
        }
        catch (Exception error) when (error is InvalidCastException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new StoreException(StoreFault.Statement,
                $"A row does not fit {typeof(T).Name}: {error.Message} In: {_command.CommandText}", error);
        }
    }

    public void Dispose() => _command.Dispose();

    private void Bind(object? args)
    {
        if (_write is not null)
            _write(args!, _parameters);
    }
}
