# Makes wheels of one line over and over: where, how many, files of each.
import sys, zipfile
place, wheels, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for wheel in range(wheels):
    name = f"package{wheel}"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(f"{place}/{name}-1.0-py3-none-any.whl", "w") as archive:
        names = [f"{name}/part{i % 7}/module{i}.py" for i in range(files)]
        for i, path in enumerate(names):
            archive.writestr(path, f"# {wheel} {i}\n" * (20 + i))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in names))
