using System.Collections.Concurrent;
using System.Data.Common;
using System.Linq.Expressions;
using NpgsqlTypes;

namespace Cairn.State.Rows;

/// <summary>Compiles how the properties of an arguments object (anonymous, record or class) become a statement's parameters.</summary>
internal static class ParameterWriter
{
    private static readonly ConcurrentDictionary<
        (Type Args, string Names), (Action<object, DbParameter[]> Write, NpgsqlDbType[] Types)> s_compiled = new();

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
            (var value, types[i]) = Value(typed, args, names[i]);
            var target = Expression.Property(Expression.ArrayIndex(parameters, Expression.Constant(i)), nameof(DbParameter.Value));
            steps.Add(Expression.Assign(target, value));
        }
        var body = Expression.Block([typed], steps);
        return (Expression.Lambda<Action<object, DbParameter[]>>(body, boxed, parameters).Compile(), types);
    }

    private static (Expression Value, NpgsqlDbType Type) Value(ParameterExpression typed, Type args, string name)
    {
        if (ListParameter.IsElement(name, out var list, out var index) && Names.Property(args, list) is { } listProperty
            && ListParameter.ElementOf(listProperty.PropertyType) is { } element)
        {
            var write = typeof(ListParameter).GetMethod(nameof(ListParameter.Element))!.MakeGenericMethod(element);
            return (Expression.Call(write, Expression.Property(typed, listProperty), Expression.Constant(index)), TypeOf(element, name));
        }
        var property = Names.Property(args, name) ?? throw new StoreException(StoreFault.Statement,
            $"The statement has a parameter @{name}, but its arguments have only "
            + $"{string.Join(", ", args.GetProperties().Select(p => p.Name))}.");
        var type = TypeOf(property.PropertyType, name);
        var column = typeof(Column<>).MakeGenericType(property.PropertyType);
        return (Expression.Call(column, nameof(Column<>.Write), null, Expression.Property(typed, property)), type);
    }

    private static NpgsqlDbType TypeOf(Type value, string name)
    {
        var column = typeof(Column<>).MakeGenericType(value);
        return (bool)column.GetProperty(nameof(Column<>.IsKnown))!.GetValue(null)!
            ? (NpgsqlDbType)column.GetProperty(nameof(Column<>.Type))!.GetValue(null)!
            : throw new StoreException(StoreFault.Statement, $"The argument @{name} is a {value}, which no column holds.");
    }
}
