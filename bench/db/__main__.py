"""x"""
import argparse, asyncio, sys
from pathlib import Path
from datetime import UTC, datetime
from rich.console import Console
from bench.db.server import *
from bench.db.load import *
from bench.db.shape import *

def main():
    p=argparse.ArgumentParser()
    p.add_argument("--scale",type=float,default=0.01)
    p.add_argument("--data",type=Path)
    p.add_argument("--keep",action="store_true")
    a=p.parse_args()
    c=Console()
    pl=Platform(max(1,round(a.scale*500)),1,datetime.now(UTC))
    with bench_server(a.data,c,keep=a.keep) as s:
        print(asyncio.run(load(s,pl,c)))
main()
