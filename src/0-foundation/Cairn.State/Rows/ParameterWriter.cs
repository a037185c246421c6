using System.Collections.Concurrent;
using System.Data.Common;
using System.Linq.Expressions;
using NpgsqlTypes;

namespace Cairn.State.Rows;

/// <summary>Compiles how the properties of an arguments object (anonymous, record or class) become a statement's parameters.</summary>
internal static class ParameterWriter
{
    private static readonly ConcurrentDictionary<(Type Args, string Names), (Action<object, DbParameter[]> Write, NpgsqlDbType[] Types)> s_compiled = new();

    /// <summary>Writes the properties called like <paramref name="names"/> into parameters of the same order.</summary>
    public static (Action<object, DbParameter[]> Write, NpgsqlDbType[] Types) For(Type args, IReadOnlyList<string> names) =>
        s_compiled.GetOrAdd((args, string.Join(' ', names)), static (_, state) => Compile(state.args, state.names), (args, names));

    private static (Action<object, DbParameter[]> Write, NpgsqlDbType[] Types) Compile(Type args, IReadOnlyList<string> names)
    {
        var boxed = Expression.Parameter(typeof(object), "args");
        var parameters = Expression.Parameter(typeof(DbParameter[]), "parameters");
        var typed = Expression.Variable(args, "typed");
        var steps = new List<Expression> { Expression.Assign(typed, Expression.Convert(boxed, args)) };
        var types = new NpgsqlDbType[names.Count];
        for (var i = 0; i < names.Count; i++)
        {
            var property = args.GetProperties().FirstOrDefault(p => string.Equals(p.Name, Names.Plain(names[i]), StringComparison.OrdinalIgnoreCase)
                    || string.Equals(p.Name, names[i], StringComparison.OrdinalIgnoreCase))
                ?? throw new StoreException(StoreFault.Statement,
                    $"The statement has a parameter @{names[i]}, but its arguments have only {string.Join(", ", args.GetProperties().Select(p => p.Name))}.");
            var column = typeof(Column<>).MakeGenericType(property.PropertyType);
            if (!(bool)column.GetProperty(nameof(Column<>.IsKnown))!.GetValue(null)!)
                throw new StoreException(StoreFault.Statement, $"The argument {property.Name} is a {property.PropertyType}, which no column holds.");
            types[i] = (NpgsqlDbType)column.GetProperty(nameof(Column<>.Type))!.GetValue(null)!;
            steps.Add(Expression.Assign(
                Expression.Property(Expression.ArrayIndex(parameters, Expression.Constant(i)), nameof(DbParameter.Value)),
                Expression.Call(column.GetMethod(nameof(Column<>.Write))!, Expression.Property(typed, property))));
        }
        var body = Expression.Block([typed], steps);
        return (Expression.Lambda<Action<object, DbParameter[]>>(body, boxed, parameters).Compile(), types);
    }
}
