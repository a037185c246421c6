using System.Data.Common;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using NpgsqlTypes;

namespace Cairn.State.Rows;

/// <summary>A value kept as JSON in a TEXT column, written as the REST API writes it.</summary>
public readonly record struct JsonText<T>(T Value)
{
    public static implicit operator JsonText<T>(T value) => new(value);
}

/// <summary>How values of one CLR type are kept in a column.</summary>
/// <remarks>
/// TEXT: <see cref="string"/>, <see cref="Guid"/>, typed ids, enums (snake_case words), <see cref="JsonText{T}"/>.
/// BIGINT: <see cref="long"/>, <see cref="int"/>, <see cref="Money"/> and <see cref="HourlyPrice"/> (micro-dollars),
/// <see cref="DateTimeOffset"/> (UTC microseconds since 1970). DOUBLE PRECISION: <see cref="double"/>. BOOLEAN: <see cref="bool"/>.
/// </remarks>
internal static class Column<T>
{
    private static readonly (Func<DbDataReader, int, T> Read, Func<T, object?> Write, NpgsqlDbType Type)? s_form = ColumnForms.Of<T>();

    public static bool IsKnown => s_form is not null;

    public static NpgsqlDbType Type => s_form!.Value.Type;

    public static T Read(DbDataReader reader, int ordinal) => s_form!.Value.Read(reader, ordinal);

    /// <summary>The value as the drivers take it: string, long, double, bool or <see cref="DBNull"/>.</summary>
    public static object Write(T value) => value is null ? DBNull.Value : s_form!.Value.Write(value) ?? DBNull.Value;
}

internal static class ColumnForms
{
    public static (Func<DbDataReader, int, T> Read, Func<T, object?> Write, NpgsqlDbType Type)? Of<T>()
    {
        var form = Find(typeof(T));
        return form is null ? null : ((Func<DbDataReader, int, T>)form.Value.Read, (Func<T, object?>)form.Value.Write, form.Value.Type);
    }

    private static (Delegate Read, Delegate Write, NpgsqlDbType Type)? Find(Type type)
    {
        if (type == typeof(string))
            return Form((r, i) => r.IsDBNull(i) ? null! : r.GetString(i), (string v) => v, NpgsqlDbType.Text);
        if (type == typeof(long))
            return Form((r, i) => r.GetInt64(i), (long v) => v, NpgsqlDbType.Bigint);
        if (type == typeof(int))
            return Form((r, i) => checked((int)r.GetInt64(i)), (int v) => (long)v, NpgsqlDbType.Bigint);
        if (type == typeof(double))
            return Form((r, i) => r.GetDouble(i), (double v) => v, NpgsqlDbType.Double);
        if (type == typeof(bool))
            return Form((r, i) => r.GetBoolean(i), (bool v) => v, NpgsqlDbType.Boolean);
        if (type == typeof(Guid))
            return Form((r, i) => Guid.Parse(r.GetString(i)), (Guid v) => v.ToString(), NpgsqlDbType.Text);
        if (type == typeof(Money))
            return Form((r, i) => new Money(r.GetInt64(i)), (Money v) => v.Micros, NpgsqlDbType.Bigint);
        if (type == typeof(HourlyPrice))
            return Form((r, i) => new HourlyPrice(r.GetInt64(i)), (HourlyPrice v) => v.MicrosPerHour, NpgsqlDbType.Bigint);
        if (type == typeof(DateTimeOffset))
            return Form((r, i) => Micros.ToTime(r.GetInt64(i)), (DateTimeOffset v) => Micros.Of(v), NpgsqlDbType.Bigint);
        return FindGeneric(type);
    }

    private static (Delegate Read, Delegate Write, NpgsqlDbType Type)? FindGeneric(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Find(underlying) is null ? null : Make(nameof(OfNullable), underlying);
        if (type.IsEnum)
            return Make(nameof(OfEnum), type);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(JsonText<>))
            return Make(nameof(OfJson), type.GetGenericArguments()[0]);
        if (type.IsValueType
            && Array.Exists(type.GetInterfaces(), i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(ITypedId<>)))
            return Make(nameof(OfTypedId), type);
        return null;
    }

    private static (Delegate Read, Delegate Write, NpgsqlDbType Type) Make(string method, Type argument) =>
        ((Delegate, Delegate, NpgsqlDbType))typeof(ColumnForms)
            .GetMethod(method, System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
            .MakeGenericMethod(argument).Invoke(null, null)!;

    private static (Delegate Read, Delegate Write, NpgsqlDbType Type) OfNullable<T>() where T : struct => Form<T?>(
        (r, i) => r.IsDBNull(i) ? null : Column<T>.Read(r, i), v => v is null ? null : Column<T>.Write(v.Value), Column<T>.Type);

    private static (Delegate Read, Delegate Write, NpgsqlDbType Type) OfTypedId<T>() where T : struct, ITypedId<T> => Form(
        (r, i) => T.From(Guid.Parse(r.GetString(i))), (T v) => v.Value.ToString(), NpgsqlDbType.Text);

    private static (Delegate Read, Delegate Write, NpgsqlDbType Type) OfJson<T>() => Form(
        (r, i) => new JsonText<T>(JsonSerializer.Deserialize<T>(r.GetString(i), ApiJson.Compact)!),
        (JsonText<T> v) => JsonSerializer.Serialize(v.Value, ApiJson.Compact), NpgsqlDbType.Text);

    private static (Delegate Read, Delegate Write, NpgsqlDbType Type) OfEnum<T>() where T : struct, Enum => Form(
        (r, i) => EnumWords.Find<T>(r.GetString(i)) ?? throw new FormatException(
            $"'{r.GetString(i)}' is no {typeof(T).Name}; expected one of {string.Join(", ", EnumWords.All<T>())}."),
        (T v) => Enum.IsDefined(v) ? EnumWords.Of(v) : throw new ArgumentException($"{v} is no {typeof(T).Name}."),
        NpgsqlDbType.Text);

    private static (Delegate Read, Delegate Write, NpgsqlDbType Type) Form<T>(
        Func<DbDataReader, int, T> read, Func<T, object?> write, NpgsqlDbType type) => (read, write, type);
}
