using System.Data;
using System.Data.Common;
using Cairn.State.Rows;

namespace Cairn.State.Engines;

/// <summary>One open connection with its prepared statements. Used by one thread at a time.</summary>
internal sealed class Link(Engine engine, DbConnection connection) : IDisposable
{
    /// <summary>Statements kept prepared. SQL texts are few and constant; one who builds texts must not fill the memory.</summary>
    private const int MostStatements = 2_000;

    private readonly Dictionary<(string Sql, Type? Args), Statement> _statements = [];
    private readonly Dictionary<string, DbCommand> _controls = [];

    public Engine Engine { get; } = engine;

    /// <summary>The last error of a statement since this was cleared.</summary>
    public StoreException? Failure { get; set; }

    public bool IsOpen => connection.State == ConnectionState.Open;

    public bool IsInTransaction => IsOpen && Engine.IsInTransaction(connection);

    /// <summary>The statement for these arguments; bound to them by whoever runs it.</summary>
    public Statement Prepare(string sql, object? args)
    {
        var statement = Prepare(sql, args?.GetType());
        return statement.Lists.Length == 0 ? statement : Prepare(ListParameter.Expand(sql, statement.Lists, args!), args!.GetType());
    }

    /// <summary>Runs a fixed statement that steers the transaction.</summary>
    public void Control(string sql)
    {
        if (!_controls.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
            command.CommandText = sql;
            _controls.Add(sql, command);
        }
        Run(command, sql);
    }

    /// <summary>Runs one or more statements once.</summary>
    public void Script(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        Run(command, sql);
    }

    /// <summary>What an error of a statement means; the work that ran it is lost.</summary>
    public StoreException Fail(DbException error, string sql) => Failure = Engine.Translate(error, sql);

    /// <summary>Undoes whatever stands; true when the connection is good for more.</summary>
    public bool TryRollback()
    {
        try
        {
            if (IsInTransaction)
                Control("ROLLBACK");
            return IsOpen;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        DropStatements();
        foreach (var command in _controls.Values)
            command.Dispose();
        connection.Dispose();
    }

    private Statement Prepare(string sql, Type? args)
    {
        if (_statements.TryGetValue((sql, args), out var statement))
            return statement;
        if (_statements.Count >= MostStatements)
            DropStatements();
        statement = Statement.Prepare(this, connection, sql, args);
        _statements.Add((sql, args), statement);
        return statement;
    }

    private void Run(DbCommand command, string sql)
    {
        try
        {
            command.ExecuteNonQuery();
        }
        catch (DbException error)
        {
            throw Engine.Translate(error, sql);
        }
    }

    private void DropStatements()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _statements.Clear();
    }
}
