using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Reflection;

namespace Cairn.State.Rows;

/// <summary>
/// An argument that is a list, for <c>x IN @list</c>: the statement gets a parameter per element. Their number is rounded up to a power of
/// two, the last element repeated, so that few statements are prepared for all lengths. An empty list matches nothing (so <c>NOT IN</c>
/// must not be used with one).
/// </summary>
internal sealed record ListParameter(string Name, PropertyInfo Property)
{
    private const string Separator = "__";

    public static ListParameter[] Find(IReadOnlyList<string> names, Type args) =>
        [.. from name in names
            let property = Names.Property(args, name)
            where property is not null && ElementOf(property.PropertyType) is not null
            select new ListParameter(name, property)];

    /// <summary>The element's type where a property is a list of values that columns hold.</summary>
    public static Type? ElementOf(Type type)
    {
        if (type == typeof(string) || type.IsValueType)
            return null;
        return type.GetInterfaces().Append(type)
            .FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
            ?.GetGenericArguments()[0];
    }

    /// <summary>The statement with <c>@list</c> written out for as many elements as these arguments have.</summary>
    public static string Expand(string sql, ListParameter[] lists, object args)
    {
        foreach (var list in lists)
        {
            var count = ((ICollection)list.Property.GetValue(args)!).Count;
            var room = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(count, 1));
            var elements = string.Join(',', Enumerable.Range(0, room).Select(i => $"@{list.Name}{Separator}{i}"));
            sql = Names.ReplaceParameter(sql, list.Name, $"({elements})");
        }
        return sql;
    }

    /// <summary>Whether a parameter's name is an element's, and which.</summary>
    public static bool IsElement(string name, out string list, out int index)
    {
        var at = name.LastIndexOf(Separator, StringComparison.Ordinal);
        list = at > 0 ? name[..at] : name;
        index = 0;
        return at > 0 && int.TryParse(name.AsSpan(at + Separator.Length), NumberStyles.None, CultureInfo.InvariantCulture, out index);
    }

    public static object Element<T>(IReadOnlyList<T> list, int index) =>
        list.Count == 0 ? DBNull.Value : Column<T>.Write(list[Math.Min(index, list.Count - 1)]);
}
