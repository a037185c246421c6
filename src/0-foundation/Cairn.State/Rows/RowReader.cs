using System.Data.Common;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Cairn.State.Rows;

/// <summary>
/// Compiles how a row becomes a <typeparamref name="T"/>: a single value, a tuple (by position), or a record or class (by name: the column
/// <c>created_at</c> is the parameter or property <c>CreatedAt</c>). Columns that nothing asks for are passed over; a constructor
/// parameter without a default and a required property must have their column.
/// </summary>
internal static class RowReader<T>
{
    public static Func<DbDataReader, T> Compile(DbDataReader reader)
    {
        if (Column<T>.IsKnown)
            return static r => Column<T>.Read(r, 0);

        var row = Expression.Parameter(typeof(DbDataReader), "row");
        var body = IsTuple ? Tuple(row, reader) : Named(row, reader);
        return Expression.Lambda<Func<DbDataReader, T>>(body, row).Compile();
    }

    private static bool IsTuple => typeof(ITuple).IsAssignableFrom(typeof(T)) && typeof(T).IsValueType;

    private static NewExpression Tuple(ParameterExpression row, DbDataReader reader)
    {
        var constructor = typeof(T).GetConstructors().Single();
        var parameters = constructor.GetParameters();
        if (parameters.Length != reader.FieldCount)
            throw Mismatch($"has {parameters.Length} parts", reader);
        return Expression.New(constructor, parameters.Select((p, i) => Value(row, i, p.ParameterType, p.Name!)));
    }

    private static Expression Named(ParameterExpression row, DbDataReader reader)
    {
        var columns = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = reader.FieldCount - 1; i >= 0; i--)
            columns[Names.Plain(reader.GetName(i))] = i;

        var constructor = typeof(T).GetConstructors().OrderByDescending(c => c.GetParameters().Length).FirstOrDefault()
            ?? throw new StoreException(StoreFault.Statement, $"{typeof(T)} has no public constructor, so no row can be read into it.");
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var arguments = constructor.GetParameters().Select(p =>
        {
            taken.Add(p.Name!);
            if (columns.TryGetValue(p.Name!, out var ordinal))
                return Value(row, ordinal, p.ParameterType, p.Name!);
            return p.HasDefaultValue
                ? Expression.Convert(Expression.Constant(p.DefaultValue ?? Default(p.ParameterType)), p.ParameterType)
                : throw Mismatch($"needs a column for '{p.Name}'", reader);
        }).ToList();

        var bindings = new List<MemberBinding>();
        foreach (var property in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (taken.Contains(property.Name) || property.SetMethod is not { IsPublic: true })
                continue;
            if (columns.TryGetValue(property.Name, out var ordinal))
                bindings.Add(Expression.Bind(property, Value(row, ordinal, property.PropertyType, property.Name)));
            else if (property.IsDefined(typeof(RequiredMemberAttribute)))
                throw Mismatch($"needs a column for '{property.Name}'", reader);
        }
        return Expression.MemberInit(Expression.New(constructor, arguments), bindings);
    }

    private static object? Default(Type type) => type.IsValueType ? Activator.CreateInstance(type) : null;

    private static Expression Value(ParameterExpression row, int ordinal, Type type, string member)
    {
        var column = typeof(Column<>).MakeGenericType(type);
        if (!(bool)column.GetProperty(nameof(Column<>.IsKnown))!.GetValue(null)!)
            throw new StoreException(StoreFault.Statement,
                $"{typeof(T).Name}.{member} is a {type.Name}, which no column holds; see {typeof(JsonText<>).Name} for JSON.");
        return Expression.Call(column.GetMethod(nameof(Column<>.Read))!, row, Expression.Constant(ordinal));
    }

    private static StoreException Mismatch(string need, DbDataReader reader) => new(StoreFault.Statement,
        $"{typeof(T).Name} {need}; the query returned {string.Join(", ", Enumerable.Range(0, reader.FieldCount).Select(reader.GetName))}.");
}
